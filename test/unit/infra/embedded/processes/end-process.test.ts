import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { endProcess, identify, isAlive, signalProcess } from '../../../../../infra/embedded/processes/end-process.js';

async function sleeper(program = 'setInterval(() => {}, 1000); console.log(1)') {
  const child = spawn(process.execPath, ['-e', program], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  if (!identity) throw new Error('the child has no identity');
  return { child, identity };
}

it('a pid that was taken over by another process is not the same process, and is not signalled', async () => {
  const { child, identity } = await sleeper();
  const impostor = { ...identity, startedAtToken: 'another moment' };
  expect(isAlive(identity)).toBe(true);
  expect(isAlive(impostor)).toBe(false);
  expect(signalProcess(impostor, 'SIGKILL')).toBe(false);
  expect(isAlive(identity)).toBe(true);
  child.kill('SIGKILL');
});

it('a process that heeds its signal ends gracefully', async () => {
  const { identity } = await sleeper();
  expect(await endProcess(identity, 'SIGTERM', 5_000)).toBe('graceful');
  expect(isAlive(identity)).toBe(false);
});

it('a process that ignores its signal is killed after its grace', async () => {
  const { identity } = await sleeper("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(1)");
  expect(await endProcess(identity, 'SIGTERM', 200)).toBe('killed');
  expect(isAlive(identity)).toBe(false);
});
