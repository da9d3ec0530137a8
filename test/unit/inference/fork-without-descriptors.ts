import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { forkProgram } from '../../../inference/fork-program.js';

/**
 * Run with few file descriptors: uses all of them up, asks for a process, then lets go and asks again. Prints what came
 * of each.
 */
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
const program = new URL('../../../serving/prediction-log/shipper-process.ts', import.meta.url);
const start = () =>
  new Promise<string>((resolve) => {
    const child = forkProgram(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.once('exit', () => resolve('ended'));
    child.once('message', () => {
      child.kill('SIGKILL');
      resolve('booted');
    });
  });
const first = await Promise.race([start(), delay(10_000, 'nothing was said')]);
for (const descriptor of held) closeSync(descriptor);
process.stdout.write(`${first}, then ${await start()}\n`);
process.exit(0);
