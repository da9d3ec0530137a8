import { expect, it } from 'vitest';
import { RestartBackoff } from '../../../../../infra/embedded/supervision/restart-backoff.js';

it('a component that comes up and dies again shortly after waits longer each time, up to ten seconds', () => {
  const backoff = new RestartBackoff();
  let now = 0;
  const delays = Array.from({ length: 8 }, (_, death) => {
    backoff.works(now);
    now += death % 2 === 0 ? 10 : 59_000;
    const delay = backoff.delayMs(now);
    now += delay;
    return delay;
  });
  expect(delays).toEqual([100, 300, 1_000, 2_000, 5_000, 10_000, 10_000, 10_000]);
});

it('starts that fail count like lives that were short', () => {
  const backoff = new RestartBackoff();
  backoff.works(0);
  expect([1, 2, 3].map((second) => backoff.delayMs(second * 1_000))).toEqual([100, 300, 1_000]);
  backoff.works(4_000);
  expect(backoff.delayMs(5_000)).toBe(2_000);
});

it('after a minute of life it starts anew, and time without a life does not count as one', () => {
  const backoff = new RestartBackoff();
  backoff.works(0);
  for (const at of [1, 2, 3]) backoff.delayMs(at);
  expect(backoff.delayMs(3_600_000), 'an hour of failed starts').toBe(2_000);
  backoff.works(3_700_000);
  expect(backoff.delayMs(3_760_000)).toBe(100);
});
