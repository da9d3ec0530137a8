import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeWorkFolder, removeWorkFolder, sweepWorkFolders } from '../../../adapters/work-folder.js';

const script = fileURLToPath(new URL('./work-folder-owner.ts', import.meta.url));

let home: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-work-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

async function worker(): Promise<{ child: ChildProcess; folder: string }> {
  const child = fork(script, [home], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  const [folder] = await once(child, 'message');
  return { child, folder: String(folder) };
}

it('what a worker that was killed with -9 left is swept, and what its neighbours work with is not', async () => {
  const [killed, alive] = await Promise.all([worker(), worker()]);
  const own = await makeWorkFolder(home, 'snapshot');
  expect(await sweepWorkFolders(home)).toEqual([]);
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  expect(await sweepWorkFolders(home)).toEqual([path.basename(path.dirname(killed.folder))]);
  expect([killed.folder, alive.folder, own].map((folder) => existsSync(folder))).toEqual([false, true, true]);
});

it('a worker that is stopped for a while keeps its folder', async () => {
  const { child, folder } = await worker();
  child.kill('SIGSTOP');
  expect(await sweepWorkFolders(home)).toEqual([]);
  expect(existsSync(folder)).toBe(true);
  child.kill('SIGCONT');
});

it('folders without an owner, or of another machine, are left alone until nobody can be using them', async () => {
  for (const name of ['train-Ab12Cd', '4711-0123456789ab-0123456789ab']) {
    const folder = path.join(home, 'work', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'file'), 'x');
    expect(await sweepWorkFolders(home)).toEqual([]);
    const old = new Date(Date.now() - 49 * 3_600_000);
    utimesSync(folder, old, old);
    expect(await sweepWorkFolders(home)).toEqual([name]);
  }
});

it('a folder that is taken away leaves nothing behind, and the next one is made all the same', async () => {
  await removeWorkFolder(await makeWorkFolder(home, 'evaluate'));
  expect(readdirSync(path.join(home, 'work'))).toEqual([]);
  const [first, second] = await Promise.all([makeWorkFolder(home, 'a'), makeWorkFolder(home, 'b')]);
  await removeWorkFolder(first);
  expect(existsSync(second)).toBe(true);
  expect(await sweepWorkFolders(path.join(home, 'nowhere'))).toEqual([]);
});

it('many that make and remove folders at the same moment do not take them from one another', async () => {
  const one = async (index: number) => {
    for (let round = 0; round < 50; round += 1) {
      const folder = await makeWorkFolder(home, `w${index}`);
      writeFileSync(path.join(folder, 'file'), 'x');
      await removeWorkFolder(folder);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => one(index)));
  expect(readdirSync(path.join(home, 'work'))).toEqual([]);
});
