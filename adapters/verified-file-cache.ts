import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ObjectStore } from './object-store/object-store.js';

/** SHA-256 of a file, as 64 lower-case hex digits. */
export async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Local copies of immutable objects, named by their digest, which is checked at every use. */
export function createFileCache(store: ObjectStore, folder: string) {
  return {
    /**
     * The path of a local copy.
     * @throws PerdureError when the object is missing or its bytes are not those of the digest.
     */
    async fetch(key: string, sha256: string): Promise<string> {
      const file = path.join(folder, sha256.slice(0, 2), `${sha256}${path.extname(key)}`);
      const present = await stat(file).catch(() => undefined);
      if (present?.isFile() && (await fileSha256(file)) === sha256) return file;
      await mkdir(path.dirname(file), { recursive: true });
      await store.getToFile(key, file, { sha256 });
      return file;
    },
  };
}

export type FileCache = ReturnType<typeof createFileCache>;
