import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What people and scripts ask most, of a stack that is not there: nobody listens at this port. */
const asked = [
  ...['models ls', 'models show m', 'versions ls m', 'versions show m@1', 'runs ls', 'promotions ls'],
  ...['rollout status m', 'routes ls', 'routes show m', 'quarantine ls', 'data ls m', 'schedules ls m', 'status'],
];
const nowhere = { PERDURE_API_PORT: '1', PERDURE_HOME: path.join(tmpdir(), 'perdure-no-home') };
const atMostMs = 10_000;
const silent = { write: () => true };

/**
 * Runs commands that change nothing, so that V8 has compiled what they need.
 * @param {{ runCli?: typeof import('../run-cli.ts').runCli }} program
 */
export async function warmUp({ runCli }) {
  const all = async () => {
    for (const command of asked) await runCli?.(command.split(' '), nowhere, { stdout: silent, stderr: silent });
  };
  await Promise.race([all(), delay(atMostMs, undefined, { ref: false })]);
}
