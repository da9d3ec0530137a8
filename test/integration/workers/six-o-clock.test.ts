import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withHeartbeat } from '../../../activities/heartbeat.js';
import { askOfEach } from '../../../client/ask-of-each.js';
import { applySchedules, planSchedules } from '../../../client/triggers/schedules.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { allPages } from '../../../db/page.js';
import { listRuns } from '../../../db/training/run-lists.js';
import { scheduleIds } from '../../../domain/ids.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import { ownDefinition, startApi, type TestApi } from '../api/start-api.js';
import { startWorkers, type TestWorkers } from '../api/start-workers.js';
import { pollUntil } from '../../support/poll-until.js';

const schedulesOfModel = 5;
const trainersMax = 2;
/** Models by the priority that their definitions state: a hundred schedules in all. */
const priorities = { urgent: 2, usual: 3, patient: 5 } as const;
const modelsOf = { urgent: 6, usual: 8, patient: 6 } as const;
type Kind = keyof typeof priorities;
const kinds = Object.keys(priorities) as Kind[];

let running: TestApi;
let workers: TestWorkers;
let goOn: () => void;
const modelOf = new Map<string, string>();
/** Models in the order in which their trainers began. */
const trained: string[] = [];
const training: string[] = [];
/** More of one model at once than it may have, or more than there are slots. */
const tooMany: string[] = [];

beforeAll(async () => {
  const held = new Promise<void>((resolve) => (goOn = resolve));
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(
    running,
    {},
    {
      limits: { perModelMax: 1 },
      slots: { training: trainersMax, data: 8 },
      replaced: {
        data: {
          takeSnapshot: ({ runId, model }) => {
            modelOf.set(runId, model);
            const summary = 'taken by the test';
            return Promise.resolve({ outcome: 'taken', snapshotSha256: 'a'.repeat(64), watermark: null, summary });
          },
          compactDay: () => Promise.reject(new Error('no log of this test is compacted')),
          evaluateRun: () => Promise.reject(ApplicationFailure.nonRetryable('the test ends here')),
        },
        training: {
          trainFold: () => Promise.reject(new Error('no run of this test is cross-validated')),
          adoptModel: () => Promise.reject(new Error('nothing is imported here')),
          train: async ({ runId }) => {
            const model = modelOf.get(runId) ?? runId;
            if (training.includes(model) || training.length >= trainersMax) tooMany.push(model);
            trained.push(model);
            training.push(model);
            await withHeartbeat(() => held);
            training.splice(training.indexOf(model), 1);
            return { artifactSha256: 'b'.repeat(64), environmentSha256: 'e'.repeat(64), summary: 'by the test' };
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

function modelFor(kind: Kind): ModelDefinition {
  const { training: policy } = ownDefinition();
  return ownDefinition({
    training: { ...policy, priority: priorities[kind] },
    triggers: {
      schedules: Array.from({ length: schedulesOfModel }, (_, index) => ({
        name: `s${index}`,
        cron: '0 6 1 1 *',
        timeZone: 'UTC',
        paused: false,
      })),
    },
  });
}

it('a hundred schedules at one moment train by priority, within the limits of model and worker, each once', async () => {
  const models = kinds.flatMap((kind) => Array.from({ length: modelsOf[kind] }, () => ({ kind, own: modelFor(kind) })));
  const definitions = models.map(({ own }) => own);
  for (const own of definitions) await applyDefinition(running.db, own, 'test');
  await applySchedules(workers.temporal, definitions, await planSchedules(workers.temporal, definitions));
  const ids = definitions.flatMap(({ name, triggers }) =>
    triggers.schedules.map((schedule) => scheduleIds.of(name, schedule.name)),
  );
  expect(ids).toHaveLength(100);
  const { schedule } = workers.temporal.client;
  await askOfEach(ids, (id) => schedule.getHandle(id).trigger(ScheduleOverlapPolicy.ALLOW_ALL));
  const runs = () => allPages((after) => listRuns(running.db, { limit: 500, after }));
  await pollUntil('one run of each model has come to the trainers', 60_000, async () =>
    modelOf.size === models.length && trained.length === trainersMax && (await runs()).length === ids.length
      ? true
      : undefined,
  );
  const first = trained.slice();

  goOn();
  await pollUntil('all have ended', 120_000, async () =>
    (await runs()).every(({ finishedAt }) => finishedAt !== null) ? true : undefined,
  );
  expect(tooMany).toEqual([]);
  for (const { own } of models)
    expect(
      trained.filter((model) => model === own.name),
      own.name,
    ).toHaveLength(schedulesOfModel);
  const nameOf = new Map(models.map(({ kind, own }) => [own.name, kind]));
  const firstOfEach = [...new Set(trained)].filter((model) => !first.includes(model));
  const order = firstOfEach.map((model) => nameOf.get(model));
  const due = models.flatMap(({ kind, own }) => (first.includes(own.name) ? [] : [kind]));
  // Those that begin at one moment, on the trainers that are free then, are told in any order.
  const inTurn = due.map((_, at) => due.slice(Math.max(0, at - trainersMax + 1), at + trainersMax));
  expect(order).toHaveLength(due.length);
  expect(order.filter((kind, at) => !inTurn[at]?.some((one) => one === kind))).toEqual([]);
  await askOfEach(ids, (id) => schedule.getHandle(id).delete());
}, 240_000);
