import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withHeartbeat } from '../../../activities/heartbeat.js';
import { finishRunStep, startRunStep } from '../../../db/training/run-queries.js';
import { activityQueues, taskQueues } from '../../../domain/task-queues.js';
import { queueChecks } from '../../../oversight/queue-checks.js';
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
          takeSnapshot: async ({ runId }) => {
            const claim = await startRunStep(running.db, { runId, step: 'snapshot', writeOrder: 0 });
            await finishRunStep(running.db, claim, 'taken by the test');
            return { outcome: 'taken', snapshotSha256: 'a'.repeat(64), watermark: null, summary: 'taken by the test' };
          },
          compactDay: () => Promise.reject(new Error('no log of this test is compacted')),
          evaluateRun: () => Promise.reject(ApplicationFailure.nonRetryable('the test ends here')),
        },
        training: {
          trainFold: () => Promise.reject(new Error('no run of this test is cross-validated')),
          adoptModel: () => Promise.reject(new Error('nothing is imported here')),
          train: async ({ runId }) => {
            const claim = await startRunStep(running.db, { runId, step: 'train', writeOrder: 0 });
            trained.push(modelOf.get(runId) ?? runId);
            atOnceMost = Math.max(atOnceMost, ++atOnce);
            await withHeartbeat(() => held);
            atOnce -= 1;
            await finishRunStep(running.db, claim, 'trained by the test');
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

/** While one trains, four of the greedy model wait for the trainer and six for these, and one of three others each. */
async function mustBeShown(first: string, greedy: string, urgent: string): Promise<void> {
  const [going] = (await running.api.runs({ model: first })).items;
  expect(going).toMatchObject({ step: 'train', waiting: null });
  const waits = (await running.api.runs({ model: greedy })).items.map(({ waiting }) => waiting);
  const places = (kind: string) => waits.filter((wait) => wait?.for === kind).map((wait) => wait?.place ?? 0);
  expect(places('model').toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(places('training')).toHaveLength(perModelMax);
  const [next] = (await running.api.runs({ model: urgent })).items;
  expect(next).toMatchObject({ priority: 2, waiting: { for: 'training', place: 1, of: perModelMax + 3 } });
  const listed = await running.perdure('runs', 'ls', urgent);
  expect(listed.stdout).toMatch(/waiting for a trainer since .+: position 1 of 7/);

  // The only trainer is busy and asks for nothing: that is no queue without a worker.
  const { checks, depth } = await queueChecks(workers.temporal, running.db);
  expect(checks.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
  expect(depth).toMatchObject({ runs: { model: 6, data: 0, training: perModelMax + 3 } });
  expect(depth.queues.find(({ queue }) => queue === 'training')?.waiting).toBeGreaterThanOrEqual(perModelMax);
}

it('a queue that no worker polls is named by the doctor, with what to start', async () => {
  const { config } = workers.temporal;
  const nobody = { ...workers.temporal, config: { ...config, taskQueues: taskQueues(`nobody-${randomUUID()}`) } };
  const { checks } = await queueChecks(nobody, running.db);
  expect(checks.map(({ name, outcome }) => [name, outcome])).toEqual(
    ['workflows', ...activityQueues].map((queue) => [`queue ${queue}`, 'problem']),
  );
  expect(checks.at(-1)).toMatchObject({
    finding: expect.stringMatching(/^no worker polls nobody-.*-training$/),
    remedy: expect.stringContaining('PERDURE_WORKER_QUEUES=training'),
  });
});

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

      await mustBeShown(first, greedy, urgent);

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
