import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ServedVersion } from '../../domain/serving/route.js';
import { removeSpareFiles } from './spare-files.js';
import type { ArtifactSource } from '../control-plane/control-plane.js';

/** Verified copies of artifacts on the gateway's disk, named by their digest. */
export class ArtifactCache {
  private readonly folder: string;

  constructor(
    home: string,
    private readonly source: ArtifactSource,
  ) {
    this.folder = path.join(home, 'artifacts');
  }

  /** The path of a verified copy, fetched when it is missing or damaged. */
  async pathOf({
    artifactSha256,
    artifactKey,
  }: Pick<ServedVersion, 'artifactSha256' | 'artifactKey'>): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const file = path.join(this.folder, `${artifactSha256}.onnx`);
    if ((await digestOfFile(file)) === artifactSha256) return file;
    await this.source.getToFile(artifactKey, file, { sha256: artifactSha256 });
    return file;
  }

  /** Removes the oldest artifacts that are not `needed`, above the number that is kept. */
  prune(needed: ReadonlySet<string>): Promise<void> {
    return removeSpareFiles(this.folder, new Set([...needed].map((sha256) => `${sha256}.onnx`)));
  }
}

async function digestOfFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}
