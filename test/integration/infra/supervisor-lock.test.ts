import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const home = mkdtempSync(path.join(tmpdir(), 'perdure-lock-'));
const script = fileURLToPath(new URL('./lock-taker.ts', import.meta.url));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

async function startTaker(): Promise<ChildProcess> {
  const child = fork(script, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  await once(child, 'message');
  return child;
}

it('of many that follow a dead supervisor at once, one takes its place and the others are told who did', async () => {
  for (let round = 0; round < 4; round += 1) {
    const takers = await Promise.all(Array.from({ length: 5 }, startTaker));
    const said = await Promise.all(
      takers.map(async (taker) => {
        const answer = once(taker, 'message');
        taker.send(home);
        return String((await answer)[0]);
      }),
    );
    const winner = takers[said.indexOf('held')];
    expect(said.filter((one) => one !== 'held')).toEqual(
      Array(4).fill(expect.stringContaining(`process ${winner?.pid}`)),
    );
    await Promise.all(takers.map((taker) => (taker.kill('SIGKILL'), once(taker, 'exit'))));
  }
});
