import { expect, test } from 'vitest';
import { answerWithin } from '../../../../../infra/embedded/doctor/answer-within.js';
import { ok } from '../../../../../oversight/check.js';

test('what answers is passed on, one finding or several', async () => {
  const [one, two] = [ok('one', 'fine'), ok('two', 'fine')];
  expect(await answerWithin('both', Promise.resolve([one, two]), 60_000)).toEqual([one, two]);
  expect(await answerWithin('one', Promise.resolve(one), 60_000)).toEqual([one]);
});

test('what does not answer is a problem that is named, and does not keep the others waiting', async () => {
  const silent = answerWithin('S3', new Promise<never>(() => undefined), 20);
  expect(await silent).toMatchObject([{ name: 'S3', outcome: 'problem', finding: 'no answer within 0.02 s' }]);
});

test('a failure of a check is its own', async () => {
  await expect(answerWithin('S3', Promise.reject(new Error('wrong')), 60_000)).rejects.toThrow('wrong');
});
