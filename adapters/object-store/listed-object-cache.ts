import { createHash } from 'node:crypto';
import { link, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { ListedObject, ObjectStore } from './object-store.js';

/**
 * Local copies of objects that do not change under their key and tag, within a bound: the ones used least recently go.
 * Copies are handed out as hard links, so that whoever reads one keeps it, whatever this or another process removes.
 */
export function createListedObjectCache(
  store: Pick<ObjectStore, 'getToFile'>,
  { folder, bytesMax }: { folder: string; bytesMax: number },
) {
  return {
    /**
     * Puts a copy of `object` at `target`, in a folder of the same file system.
     * @throws PerdureError when it cannot be fetched.
     */
    async place({ key, etag, bytes }: ListedObject, target: string): Promise<void> {
      const name = createHash('sha256').update(`${key}\n${etag}`).digest('hex');
      const file = path.join(folder, name.slice(0, 2), name);
      const present = await stat(file).catch(() => undefined);
      if (present?.size === bytes) {
        const now = new Date();
        const placed = await Promise.all([link(file, target), utimes(file, now, now)]).then(
          () => true,
          () => false,
        );
        if (placed) return;
      }
      await mkdir(path.dirname(file), { recursive: true });
      await rm(target, { force: true });
      await store.getToFile(key, target);
      // Another process may have been faster: either copy is as good.
      await link(target, file).catch(() => undefined);
    },

    /** Removes what was used least recently, down to the bound. */
    async trim(): Promise<void> {
      const copies = await copiesIn(folder);
      let bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
      for (const copy of copies.sort((left, right) => left.usedAtMs - right.usedAtMs)) {
        if (bytes <= bytesMax) return;
        await rm(copy.file, { force: true });
        bytes -= copy.bytes;
      }
    },
  };
}

export type ListedObjectCache = ReturnType<typeof createListedObjectCache>;

async function copiesIn(folder: string): Promise<{ file: string; bytes: number; usedAtMs: number }[]> {
  const copies: { file: string; bytes: number; usedAtMs: number }[] = [];
  for (const part of await readdir(folder).catch(() => [])) {
    for (const name of await readdir(path.join(folder, part)).catch(() => [])) {
      const file = path.join(folder, part, name);
      const found = await stat(file).catch(() => undefined);
      if (found) copies.push({ file, bytes: found.size, usedAtMs: found.mtimeMs });
    }
  }
  return copies;
}
