import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ComponentSpec } from '../../../../../infra/embedded/processes/component.js';
import { isAlive } from '../../../../../infra/embedded/processes/end-process.js';
import { leftovers } from '../../../../../infra/embedded/processes/run-files.js';
import { OnDemand } from '../../../../../infra/embedded/supervision/on-demand.js';
import { superviseComponent, type SupervisedComponent } from '../../../../../infra/embedded/supervision/supervise.js';
import { pollUntil } from '../../../../support/poll-until.js';

let home: string;
let wanted: Set<string>;
let started: SupervisedComponent[];
let notes: string[];
let interruption: AbortController;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-on-demand-'));
  [wanted, started, notes, interruption] = [new Set(), [], [], new AbortController()];
});
afterEach(async () => {
  await Promise.all(started.map((component) => component.stop()));
  rmSync(home, { recursive: true, force: true });
});

const spec = (name: string, program: string): ComponentSpec => ({
  ...{ name, kind: 'node', address: undefined, version: undefined, ports: [], adoptAs: name },
  prepare: () => Promise.resolve(),
  command: () => ({ file: process.execPath, args: ['-e', program], env: process.env, cwd: home }),
  check: ({ announced }) => (announced ? Promise.resolve() : Promise.reject(new Error('it has not reported ready'))),
  ...{ stopSignal: 'SIGTERM', graceMs: 5_000, startTimeoutMs: 30_000 },
});
const lives = "process.send({ perdure: 'ready' }); setInterval(() => {}, 1000)";
const dies = 'process.exit(3)';

const onDemand = (...specs: ComponentSpec[]) =>
  new OnDemand({
    ...{ specs, started, signal: interruption.signal },
    isWanted: (name) => wanted.has(name),
    supervise: (one) =>
      superviseComponent(
        home,
        one,
        () => undefined,
        () => undefined,
      ),
    onProgress: ({ component, phase, detail }) => void (phase === 'note' && notes.push(`${component}: ${detail}`)),
  });
const processOf = (name: string) => leftovers(home).find((one) => one.name === name)?.process;

test('nothing runs that nobody asked for; what is asked for starts, and ends when it is sent away, again and again', async () => {
  const places = onDemand(spec('gateway-a', lives), spec('gateway-b', lives));
  await places.settled();
  expect(places.reports()).toMatchObject([
    { name: 'gateway-a', state: 'on-demand', pid: undefined },
    { name: 'gateway-b', state: 'on-demand' },
  ]);
  expect([started, leftovers(home)]).toEqual([[], []]);
  const pids: number[] = [];
  for (const _ of [1, 2]) {
    wanted.add('gateway-a');
    await places.settled();
    expect(started.map((one) => one.report())).toMatchObject([{ name: 'gateway-a', state: 'running' }]);
    expect(places.reports().map(({ name }) => name)).toEqual(['gateway-b']);
    const running = processOf('gateway-a');
    pids.push(running?.pid ?? 0);
    wanted.delete('gateway-a');
    await places.settled();
    expect([started, running && isAlive(running)]).toEqual([[], false]);
  }
  expect(new Set(pids).size).toBe(2);
});

test('one that dies while it is wanted comes back', async () => {
  wanted.add('gateway-a');
  const places = onDemand(spec('gateway-a', lives));
  await places.settled();
  const first = processOf('gateway-a');
  process.kill(first?.pid ?? 0, 'SIGKILL');
  const next = await pollUntil('another process', 30_000, () => {
    const now = processOf('gateway-a');
    return now && now.pid !== first?.pid && started[0]?.report().state === 'running' ? now : undefined;
  });
  expect(isAlive(next)).toBe(true);
});

test('one that cannot start ends no stack: it is told, with the reason, and nothing of it is left', async () => {
  wanted.add('gateway-a').add('gateway-b');
  const places = onDemand(spec('gateway-a', dies), spec('gateway-b', lives));
  await places.settled();
  expect(started.map((one) => one.report().name)).toEqual(['gateway-b']);
  expect(places.reports()).toMatchObject([
    { name: 'gateway-a', state: 'on-demand', lastError: expect.stringContaining('exit code 3') as string },
  ]);
  expect(notes).toEqual([expect.stringMatching(/^gateway-a: did not start, and is tried again in 10 s/)]);
});

test('nothing starts once the stack ends', async () => {
  const places = onDemand(spec('gateway-a', lives));
  await places.end();
  wanted.add('gateway-a');
  await places.settled();
  expect(started).toEqual([]);
});
