import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { latestAnswer } from '../../../../api/stack/latest-answer.js';

const limits = { freshMs: 2_000, patienceMs: 100 };
let answers: PromiseWithResolvers<string>[];
const ask = vi.fn(() => {
  const answer = withResolvers();
  answers.push(answer);
  return answer.promise;
});

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers<string> {
  let resolve: (value: string) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<string>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  answers = [];
  ask.mockClear();
});
afterEach(() => vi.useRealTimers());

/** `node:timers/promises` is not faked: the patience passes for real, in a tenth of a second. */
const passes = (ms: number) => vi.setSystemTime(Date.now() + ms);

test('a question that is answered in time is answered by what it found, and again while that is fresh', async () => {
  const latest = latestAnswer(ask, limits);
  const first = latest();
  answers[0]?.resolve('one');
  expect(await first).toMatchObject({ value: 'one' });
  passes(limits.freshMs - 1);
  expect(await latest()).toMatchObject({ value: 'one' });
  expect(ask).toHaveBeenCalledTimes(1);
});

test('who does not get the next answer in time gets the last with its age, and asks no second question', async () => {
  const latest = latestAnswer(ask, limits);
  expect(await latest()).toBeUndefined();
  expect(await latest()).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(1);
  answers[0]?.resolve('one');
  await vi.waitFor(async () => expect(await latest()).toMatchObject({ value: 'one' }));
  const { askedAt } = (await latest()) ?? {};
  passes(60_000);
  expect(await latest()).toEqual({ value: 'one', askedAt });
  answers[1]?.resolve('two');
  await vi.waitFor(async () => expect(await latest()).toMatchObject({ value: 'two' }));
  expect(ask).toHaveBeenCalledTimes(2);
});

test('a question that fails leaves the last answer, and the next asks again', async () => {
  const latest = latestAnswer(ask, limits);
  const first = latest();
  answers[0]?.resolve('one');
  await first;
  passes(limits.freshMs);
  const second = latest();
  answers[1]?.reject(new Error('away'));
  expect(await second).toMatchObject({ value: 'one' });
  const third = latest();
  answers[2]?.resolve('three');
  expect(await third).toMatchObject({ value: 'three' });
});
