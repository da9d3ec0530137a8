import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import type { Cause } from '../../../domain/cause.js';
import { ownDefinition, startApi, type TestApi } from '../api/start-api.js';
import { startWorkers, type TestWorkers } from '../api/start-workers.js';
import { pollUntil } from '../../support/poll-until.js';

const perModelMax = 4;
let running: TestApi;
let workers: TestWorkers;
let goOn: () => void;
/** Model of each run. */
const modelOf = new Map<string, string>();
/** Models in the order in which their trainers began. */
const trained: string[] = [];
let atOnce = 0;
let atOnceMost = 0;

beforeAll(async () => {
  const held = new Promise<void>((resolve) => (goOn = resolve));
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(
    running,
    {},
    {
      limits: { perModelMax },
      slots: { training: 1, data: 8 },
      replaced: {
        data: {
          takeSnapshot: async () => ({
            outcome: 'taken',
            snapshotSha256: 'a'.repeat(64),
            watermark: null,
            summary: 'taken by the test',
          }),
          evaluateRun: () => Promise.reject(ApplicationFailure.nonRetryable('the test ends here')),
        },
        training: {
          train: async ({ runId }) => {
            trained.push(modelOf.get(runId) ?? runId);
            atOnceMost = Math.max(atOnceMost, ++atOnce);
            await held;
            atOnce -= 1;
            return {
              artifactSha256: 'b'.repeat(64),
              environmentSha256: 'e'.repeat(64),
              summary: 'trained by the test',
            };
          },
        },
      },
    },
  );
}, 180_000);
afterAll(async () => {
  goOn();
  await workers.stop();
  await running.close();
});

async function newModel(): Promise<string> {
  const definition = ownDefinition({ triggers: { schedules: [] } });
  await applyDefinition(running.db, definition, 'test');
  return definition.name;
}

async function run(model: string, kind: Cause['kind']) {
  const { client, config } = workers.temporal;
  const handle = await client.workflow.start('trainModel', {
    taskQueue: config.taskQueues.workflows,
    workflowId: `train/${model}/${kind}-${randomUUID()}`,
    args: [{ model, cause: { kind, id: randomUUID() } }],
  });
  modelOf.set(handle.firstExecutionRunId, model);
  return handle;
}

async function waitingForTrainers(): Promise<number> {
  const { client, config } = workers.temporal;
  const { stats } = await client.workflowService.describeTaskQueue({
    ...{
      namespace: config.namespace,
      taskQueue: { name: config.taskQueues.training },
      taskQueueType: activityTasks,
      reportStats: true,
    },
  });
  return Number(stats?.approximateBacklogCount ?? 0);
}
/** TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const activityTasks = 2;

describe('runs that wait for the same worker', () => {
  it(
    'go by priority, then in turn among models, within the limits of worker and model',
    { timeout: 180_000 },
    async () => {
      const first = await newModel();
      const runs = [await run(first, 'schedule')];
      await pollUntil('the only slot is held', 60_000, async () => (trained.length === 1 ? true : undefined));

      const greedy = await newModel();
      runs.push(...(await Promise.all(Array.from({ length: 10 }, () => run(greedy, 'schedule')))));
      await pollUntil('as many wait as one model may have', 60_000, async () =>
        (await waitingForTrainers()) >= perModelMax ? true : undefined,
      );
      const [modest, urgent, patient] = [await newModel(), await newModel(), await newModel()];
      runs.push(await run(patient, 'backfill'), await run(modest, 'schedule'), await run(urgent, 'person'));
      await pollUntil('all have come to the queue', 60_000, async () =>
        (await waitingForTrainers()) >= perModelMax + 3 ? true : undefined,
      );
      expect(await waitingForTrainers()).toBe(perModelMax + 3);

      goOn();
      await Promise.allSettled(runs.map((one) => one.result()));
      expect(trained).toHaveLength(runs.length);
      expect(trained.slice(0, 2)).toEqual([first, urgent]);
      // Of the ten that came before it, one at most goes first.
      expect(trained.indexOf(modest)).toBeLessThanOrEqual(3);
      expect(trained.indexOf(patient)).toBeGreaterThan(trained.indexOf(modest) + 1);
      expect(atOnceMost).toBe(1);
    },
  );
});
