import { expect, test } from 'vitest';
import { CrashBackoff } from '../../../inference/crash-backoff.js';

const limits = { deathsMax: 3, deathWindowMs: 1_000, coolDownMs: 100 };

test('deaths that are far apart take nothing out of service', () => {
  const watch = new CrashBackoff(limits);
  expect([0, 600, 1_200, 1_800, 2_400].map((at) => watch.died(at))).toEqual(new Array(5).fill(undefined));
});

test('too many within the window do', () => {
  const watch = new CrashBackoff(limits);
  expect([0, 1, 2].map((at) => watch.died(at))).toEqual([undefined, undefined, 100]);
});

test('a death on trial is enough, and each failed trial doubles the wait up to sixteen times', () => {
  const watch = new CrashBackoff({ ...limits, deathsMax: 1 });
  let now = 0;
  const waits = Array.from({ length: 7 }, () => {
    now += 10;
    const waitMs = watch.died(now);
    watch.beginTrial(now);
    return waitMs;
  });
  expect(waits).toEqual([100, 200, 400, 800, 1600, 1600, 1600]);
});

test('a trial that lasted the window makes it an ordinary model again', () => {
  const watch = new CrashBackoff(limits);
  for (const at of [0, 1, 2]) watch.died(at);
  watch.beginTrial(100);
  expect([1_200, 1_201, 1_202].map((at) => watch.died(at))).toEqual([undefined, undefined, 100]);
});
