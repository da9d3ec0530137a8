import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Compacted, DayToCompact } from '../../activities/serving/compaction.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

/** Each has a day to compact once a day; one fails, and one takes three calls. */
const logs = 20;

it('compacts day after day of every log for a week, a failing one left for the next pass, in runs of fewer than 2,000 events', async () => {
  let passes = 0;
  const calls = new Map<string, number>();
  const remote = {
    findDaysToCompact: async () => {
      passes += 1;
      const days = Array.from({ length: logs }, (_, at): DayToCompact => {
        return { environment: at % 2 === 0 ? 'production' : null, model: `m-${at}`, day: `day ${passes}` };
      });
      return { days: passes % 24 === 1 ? days : [], more: false };
    },
    compactDay: async ({ model, day }: DayToCompact): Promise<Compacted> => {
      const count = (calls.get(`${model} ${day}`) ?? 0) + 1;
      calls.set(`${model} ${day}`, count);
      if (model === 'm-1') throw ApplicationFailure.nonRetryable('the object store is away');
      return { merged: 1, parts: 1, rows: 1, removed: 0, more: model === 'm-2' && count < 3 };
    },
  };
  const workflowId = `compact-${randomUUID()}`;
  await bench.withWorkers({ local: {}, remote }, async (taskQueue) => {
    await bench.client.workflow.start('compactLogs', { taskQueue, workflowId });
    for (let day = 0; day < 7; day += 1) {
      await bench.env.sleep('1 day');
      const { historyLength } = await bench.client.workflow.getHandle(workflowId).describe();
      expect(historyLength).toBeLessThan(2_000);
    }
    await eventually(
      'a week of passes',
      async () => passes,
      (count) => count > 24 * 6,
    );
  });
  const days = new Set([...calls.keys()].map((key) => key.slice(key.indexOf(' ') + 1)));
  expect(days.size).toBeGreaterThan(5);
  for (const day of days) expect(calls.get(`m-2 ${day}`)).toBe(3);
});
