import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StackProgress } from '../../../../../infra/embedded/processes/component.js';
import { superviseComponent } from '../../../../../infra/embedded/supervision/supervise.js';
import { pollUntil } from '../../../../support/poll-until.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-supervise-'));
  mkdirSync(path.join(home, 'logs'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('a process that comes up and dies again and again is restarted less and less often', async () => {
  const told: { phase: StackProgress['phase']; at: number }[] = [];
  const supervised = superviseComponent(
    home,
    {
      ...{ name: 'mayfly', kind: 'server', address: undefined, version: undefined, ports: [] },
      prepare: () => Promise.resolve(),
      command: () => ({
        file: process.execPath,
        args: ['-e', 'setTimeout(() => process.exit(1), 150)'],
        env: process.env,
        cwd: home,
      }),
      check: () => Promise.resolve(),
      ...{ stopSignal: 'SIGTERM', graceMs: 1_000, startTimeoutMs: 10_000 },
    },
    ({ phase }) => told.push({ phase, at: performance.now() }),
    () => undefined,
  );
  await supervised.start(new AbortController().signal);
  const times = (phase: StackProgress['phase']) => told.filter((one) => one.phase === phase).map(({ at }) => at);
  await pollUntil('four restarts', 30_000, () => times('restarted').length >= 4 || undefined);
  await supervised.stop();
  const died = times('died');
  const waited = times('restarted').map((at, index) => Math.round(at - (died[index] ?? NaN)));
  // A timer may fire a millisecond early.
  for (const [index, delayMs] of [100, 300, 1_000, 2_000].entries())
    expect(waited[index], `restart ${index + 1} of ${waited.join(', ')} ms`).toBeGreaterThanOrEqual(delayMs - 2);
});
