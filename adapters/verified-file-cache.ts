import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ObjectStore } from './object-store/object-store.js';

/** SHA-256 of a file, as 64 lower-case hex digits. */
export async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Copies that nobody has asked for so long are fetched again when somebody does. */
const keptMs = 14 * 86_400_000;

/** Local copies of immutable objects, named by their digest, which is checked at every use. */
export function createFileCache(store: ObjectStore, folder: string) {
  return {
    /**
     * The path of a local copy.
     * @throws PerdureError when the object is missing or its bytes are not those of the digest.
     */
    async fetch(key: string, sha256: string): Promise<string> {
      const file = path.join(folder, sha256.slice(0, 2), `${sha256}${path.extname(key)}`);
      // Whoever is about to use it keeps it from a sweep.
      const present = await utimes(file, new Date(), new Date()).then(
        () => stat(file),
        () => undefined,
      );
      if (present?.isFile() && (await fileSha256(file)) === sha256) return file;
      await mkdir(path.dirname(file), { recursive: true });
      await store.getToFile(key, file, { sha256 });
      return file;
    },

    /** Removes copies that nobody has asked for in a fortnight. @returns how many */
    async sweep(now = Date.now()): Promise<number> {
      let swept = 0;
      for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
        const file = path.join(folder, name);
        const found = await stat(file).catch(() => undefined);
        if (!found?.isFile() || found.mtimeMs >= now - keptMs) continue;
        await rm(file, { force: true });
        swept += 1;
      }
      return swept;
    },
  };
}

export type FileCache = ReturnType<typeof createFileCache>;
