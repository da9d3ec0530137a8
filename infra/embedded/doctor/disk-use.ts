import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

export interface DiskUse {
  part: string;
  bytes: number;
}

/** What a folder's entries occupy on disk, the largest first. Empty when the folder does not exist. */
export async function diskUse(folder: string): Promise<DiskUse[]> {
  const entries = await readdir(folder).catch(() => []);
  const parts = await Promise.all(
    entries.map(async (part) => ({ part, bytes: await bytesUnder(path.join(folder, part)) })),
  );
  return parts.sort((a, b) => b.bytes - a.bytes);
}

const blockBytes = 512;

async function bytesUnder(file: string): Promise<number> {
  const stats = await lstat(file).catch(() => undefined); // Servers remove files while we look.
  if (!stats) return 0;
  let bytes = stats.blocks * blockBytes;
  if (stats.isDirectory()) {
    for (const entry of await readdir(file).catch(() => [])) bytes += await bytesUnder(path.join(file, entry));
  }
  return bytes;
}
