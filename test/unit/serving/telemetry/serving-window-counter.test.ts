import { yesOrNoAnswer, yesOrNoShape } from '../../../support/answers.js';
import { expect, test } from 'vitest';
import { servingWindowSchema, type ServingWindow } from '../../../../domain/serving/serving-window.js';
import { ServingWindowCounter } from '../../../../serving/telemetry/serving-window-counter.js';

const { compared } = yesOrNoShape.task;

/** An answer with these scores, one a row. */
const answer = (...scores: number[]) => yesOrNoAnswer(Float32Array.from(scores.flatMap((score) => [1 - score, score])));
const counter = () => new ServingWindowCounter({ gatewayId: 'g', bootId: 'b', environment: 'production' });

/** A table with a unique id, as PostgreSQL keeps it. */
function store() {
  const windows = new Map<string, ServingWindow>();
  const insert = (batch: readonly ServingWindow[]) => {
    for (const window of batch) if (!windows.has(window.id)) windows.set(window.id, window);
    return Promise.resolve();
  };
  const requests = () => [...windows.values()].reduce((sum, window) => sum + window.requests, 0);
  return { windows, insert, requests };
}

test('a window holds what was counted, by version and epoch', async () => {
  const counts = counter();
  const { windows, insert } = store();
  const first = counts.tally({ model: 'm', version: 1, epoch: 3, role: 'split' }, compared);
  first.answered(0, 0.4, answer(0.005, 0.995));
  first.answered(0, 6000, answer(1));
  first.answered(0, 5, answer(0.5));
  first.failed(0);
  counts.tally({ model: 'm', version: 2, epoch: 3, role: 'split' }, compared).answered(0, 1, answer(0));
  await counts.flush(insert);
  const [one, two] = [...windows.values()];
  expect(servingWindowSchema.parse(one)).toMatchObject({
    gatewayId: 'g',
    model: 'm',
    version: 1,
    epoch: 3,
    requests: 4,
    errors: 1,
  });
  expect(one?.latency).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(one?.scores[0]).toBe(1);
  expect(one?.scores[50]).toBe(1);
  expect(one?.scores[99]).toBe(2);
  expect(two).toMatchObject({ version: 2, requests: 1, errors: 0 });
});

test('nothing is lost and nothing counted twice when answers of the store are lost', async () => {
  const counts = counter();
  const tally = counts.tally({ model: 'm', version: 1, epoch: 1, role: 'split' }, compared);
  const { insert, requests } = store();
  for (let turn = 0; turn < 10; turn += 1) {
    tally.answered(0, 1, answer(0.5));
    const losing = (batch: readonly ServingWindow[]) =>
      insert(batch).then(() => Promise.reject(new Error('the answer was lost')));
    await counts.flush(turn % 2 === 0 ? losing : insert).catch(() => undefined);
  }
  await counts.flush(insert);
  expect(requests()).toBe(10);
});

test('what waits stays small however long the store is away, and all of it arrives', async () => {
  const counts = counter();
  const tally = counts.tally({ model: 'm', version: 1, epoch: 1, role: 'split' }, compared);
  const { insert, requests } = store();
  for (let turn = 0; turn < 1000; turn += 1) {
    tally.answered(0, 1, answer(0.5));
    await counts.flush(() => Promise.reject(new Error('away'))).catch(() => undefined);
    expect(counts.pendingCount).toBeLessThanOrEqual(1);
  }
  await counts.flush(insert);
  expect(requests()).toBe(1000);
});

test('split, shadow and override are windows of their own, whoever counts in them', async () => {
  const counts = counter();
  const { windows, insert } = store();
  for (const role of ['split', 'shadow', 'override', 'split'] as const) {
    counts.tally({ model: 'm', version: 1, epoch: 1, role }, compared).answered(0, 1, answer(0.5));
  }
  await counts.flush(insert);
  const requests: Record<string, number> = {};
  for (const { role, requests: count } of windows.values()) requests[role] = (requests[role] ?? 0) + count;
  expect(requests).toEqual({ split: 2, shadow: 1, override: 1 });
});

test('what arrives while a model is cold is apart from what arrives later, for every version alike and for no other model', async () => {
  const counts = counter();
  const { windows, insert } = store();
  const tally = (model: string, version: number) => counts.tally({ model, version, epoch: 1, role: 'split' }, compared);
  const [old, fresh, other] = [tally('m', 1), tally('m', 2), tally('n', 1)];
  old.answered(90, 1, answer(0.5));
  counts.markCold('m', 200);
  counts.markCold('m', 150);
  for (const one of [old, fresh, other]) {
    one.answered(199, 50, answer(0.5));
    one.answered(200, 1, answer(0.5));
    one.failed(199);
  }
  await counts.flush(insert);
  const cold = [...windows.values()].filter((window) => window.cold);
  expect(cold.map(({ model, version, requests, errors }) => ({ model, version, requests, errors }))).toEqual([
    { model: 'm', version: 1, requests: 2, errors: 1 },
    { model: 'm', version: 2, requests: 2, errors: 1 },
  ]);
  const warm = [...windows.values()]
    .filter((window) => !window.cold)
    .map(({ model, version, requests }) => ({ model, version, requests }));
  expect(warm).toEqual([
    { model: 'm', version: 1, requests: 2 },
    { model: 'm', version: 2, requests: 1 },
    { model: 'n', version: 1, requests: 3 },
  ]);
});

test('an answer with a score that is no number is counted, its score in no bin', async () => {
  const counts = counter();
  const { windows, insert } = store();
  counts.tally({ model: 'm', version: 1, epoch: 1, role: 'split' }, compared).answered(0, 1, answer(NaN, 0.25));
  await counts.flush(insert);
  const [window] = [...windows.values()];
  expect(servingWindowSchema.parse(window)).toMatchObject({ requests: 1 });
  expect(window?.scores.reduce((sum, count) => sum + count, 0)).toBe(1);
});
