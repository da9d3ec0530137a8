import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { identify } from './process-identity.js';

/** After so long whatever nobody here can vouch for is left over: no activity may take as long. */
const leftOverMs = 48 * 3_600_000;
/** As many as may remove a folder of their own at the same moment, and more. */
const triesMax = 100;
const ownerName = /^(\d+)-([0-9a-f]{12})-([0-9a-f]{12})$/;

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const rootOf = (home: string) => path.join(home, 'work');

/** The folder of a process on this machine, named so that no later process of the same number is taken for it. */
function ownerOf(pid: number): string | undefined {
  const identity = identify(pid);
  return identity && `${pid}-${digest(hostname())}-${digest(identity.startedAtToken)}`;
}

/**
 * A fresh folder in `<home>/work` for what an activity makes and takes away again. Should its process be killed first,
 * a sweep does.
 */
export async function makeWorkFolder(home: string, kind: string): Promise<string> {
  const own = path.join(
    rootOf(home),
    ownerOf(process.pid) ?? `${process.pid}-${digest(hostname())}-${digest('unknown')}`,
  );
  for (let tries = 1; ; tries += 1) {
    try {
      await mkdir(own, { recursive: true });
      return await mkdtemp(path.join(own, `${kind}-`));
    } catch (error) {
      // Whoever removed the last folder in it took it away, empty as it was.
      if (tries === triesMax || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/** Takes away a folder of `makeWorkFolder`. */
export async function removeWorkFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rmdir(path.dirname(folder)).catch(() => undefined); // Others may be in it.
}

/** Removes work folders whose process no longer lives. @returns their names */
export async function sweepWorkFolders(home: string): Promise<string[]> {
  const root = rootOf(home);
  const swept: string[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    if (await isInUse(root, name)) continue;
    await rm(path.join(root, name), { recursive: true, force: true });
    swept.push(name);
  }
  return swept;
}

/** Folders of another machine, and those that version 0.1.0 made without an owner, are in use until they are old. */
async function isInUse(root: string, name: string): Promise<boolean> {
  const [, pid, host] = ownerName.exec(name) ?? [];
  if (host === digest(hostname())) return ownerOf(Number(pid)) === name;
  const { mtimeMs } = await stat(path.join(root, name)).catch(() => ({ mtimeMs: Infinity }));
  return mtimeMs > Date.now() - leftOverMs;
}
