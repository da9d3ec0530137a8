import { expect, test } from 'vitest';
import { servingWindowSchema, type ServingWindow } from '../../../domain/serving-window.js';
import { ServingWindowCounter } from '../../../serving/serving-window-counter.js';

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
  counts.answered('m', 1, 3, 0.4, [0.005, 0.995]);
  counts.answered('m', 1, 3, 6000, [1]);
  counts.answered('m', 1, 3, 5, [0.5]);
  counts.failed('m', 1, 3);
  counts.answered('m', 2, 3, 1, [0]);
  await counts.flush(insert);
  const [one, two] = [...windows.values()];
  expect(servingWindowSchema.parse(one)).toMatchObject({ gatewayId: 'g', model: 'm', version: 1, epoch: 3, requests: 4, errors: 1 });
  expect(one?.latency).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(one?.scores[0]).toBe(1);
  expect(one?.scores[50]).toBe(1);
  expect(one?.scores[99]).toBe(2);
  expect(two).toMatchObject({ version: 2, requests: 1, errors: 0 });
});

test('nothing is lost and nothing counted twice when answers of the store are lost', async () => {
  const counts = counter();
  const { insert, requests } = store();
  for (let turn = 0; turn < 10; turn += 1) {
    counts.answered('m', 1, 1, 1, [0.5]);
    const losing = (batch: readonly ServingWindow[]) => insert(batch).then(() => Promise.reject(new Error('the answer was lost')));
    await counts.flush(turn % 2 === 0 ? losing : insert).catch(() => undefined);
  }
  await counts.flush(insert);
  expect(requests()).toBe(10);
});

test('what waits stays small however long the store is away, and all of it arrives', async () => {
  const counts = counter();
  const { insert, requests } = store();
  for (let turn = 0; turn < 1000; turn += 1) {
    counts.answered('m', 1, 1, 1, [0.5]);
    await counts.flush(() => Promise.reject(new Error('away'))).catch(() => undefined);
    expect(counts.pendingCount).toBeLessThanOrEqual(1);
  }
  await counts.flush(insert);
  expect(requests()).toBe(1000);
});
