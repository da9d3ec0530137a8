import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Files that nothing needs are kept while there are no more than this many: a rollback then asks nobody for them.
 */
export const spareFilesMax = 20;

/** Removes the oldest files of a folder that are not `needed`, above the number that is kept. */
export async function removeSpareFiles(folder: string, needed: ReadonlySet<string>): Promise<void> {
  const spare = (await readdir(folder).catch(() => [])).filter((name) => !needed.has(name));
  if (spare.length <= spareFilesMax) return;
  const aged = await Promise.all(
    spare.map(async (name) => ({ name, at: (await stat(path.join(folder, name))).mtimeMs })),
  );
  aged.sort((left, right) => right.at - left.at);
  await Promise.all(aged.slice(spareFilesMax).map(({ name }) => rm(path.join(folder, name), { force: true })));
}
