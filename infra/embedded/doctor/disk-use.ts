import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface DiskUse {
  part: string;
  bytes: number;
  /** False where the time ended before all of it was seen: it occupies more. */
  isWhole: boolean;
}

/**
 * What a folder's entries occupy on disk, the largest first. Empty when the folder does not exist. What lies deep is
 * looked at last, so that a part with many files does not hide the others when the time ends.
 * @param budgetMs how long may be looked; 0 still sees each part itself
 */
export async function diskUse(folder: string, budgetMs: number): Promise<DiskUse[]> {
  const until = performance.now() + budgetMs;
  const parts: DiskUse[] = entriesOf(folder).map((part) => ({ part, bytes: 0, isWhole: true }));
  const places = parts.map((of) => ({ of, file: path.join(folder, of.part) }));
  let turnEnds = performance.now() + turnMs;
  for (const [index, { of, file }] of places.entries()) {
    if (performance.now() > turnEnds) {
      await nextTurn();
      turnEnds = performance.now() + turnMs;
    }
    if (index >= parts.length && performance.now() >= until) {
      of.isWhole = false;
      continue;
    }
    const stats = lstatSync(file, { throwIfNoEntry: false }); // Servers remove files while we look.
    of.bytes += (stats?.blocks ?? 0) * blockBytes;
    if (stats?.isDirectory()) for (const entry of entriesOf(file)) places.push({ of, file: path.join(file, entry) });
  }
  return parts.toSorted((a, b) => b.bytes - a.bytes);
}

const blockBytes = 512;
/** Requests that are on their way go on in between. Asked one by one, files take several times as long. */
const turnMs = 5;

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
