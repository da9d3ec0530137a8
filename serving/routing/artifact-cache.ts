import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ServedVersion } from '../../domain/serving/route.js';
import type { ArtifactSource } from '../control-plane/control-plane.js';

/**
 * Artifacts that no route names are kept while there are no more than this many: a rollback then needs no object store.
 */
const keptMax = 20;

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
  async prune(needed: ReadonlySet<string>): Promise<void> {
    const spare = (await readdir(this.folder).catch(() => [])).filter(
      (name) => !needed.has(path.basename(name, '.onnx')),
    );
    const aged = await Promise.all(
      spare.map(async (name) => ({ name, at: (await stat(path.join(this.folder, name))).mtimeMs })),
    );
    aged.sort((left, right) => right.at - left.at);
    await Promise.all(aged.slice(keptMax).map(({ name }) => rm(path.join(this.folder, name), { force: true })));
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
