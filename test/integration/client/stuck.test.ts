import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { workflowLines } from '../../../cli/workflow-lines.js';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { decidePromotion } from '../../../client/promotion.js';
import { whyStuck } from '../../../client/stuck-workflows.js';
import { PerdureError } from '../../../domain/errors.js';
import { taskQueues } from '../../../domain/task-queues.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { failureInterceptor } from '../../../workers/failure-interceptor.js';
import { loadWorkflowBundle } from '../../../workers/workflow-bundle.js';
import { pollUntil } from '../../support/poll-until.js';

let temporal: TemporalHandle;
let connection: NativeConnection;
beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  temporal = await connectTemporal(loadTemporalConfig());
  connection = await NativeConnection.connect(loadTemporalConfig().connection);
});
afterAll(() => Promise.all([temporal.close(), connection.close()]));

it('a decision on a promotion whose own code fails is given up at once, with the failure and what to do', async () => {
  const taskQueue = `stuck-${randomUUID()}`;
  const workflowId = `promote/m/2/${randomUUID()}`;
  // Code that does not know this workflow, as after a change that its history does not fit.
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: path.join(import.meta.dirname, '../activities/continues-once.ts'),
  });
  await worker.runUntil(async () => {
    const started = await temporal.client.workflow.start('promoteModel', {
      workflowId,
      taskQueue,
      args: [{ model: 'm', version: 2 }],
    });
    const decision = { actor: 'ann', decision: 'approve', comment: '' } as const;
    const refused = decidePromotion(temporal, workflowId, decision, { withinMs: 55_000 });
    await expect(refused).rejects.toMatchObject({
      code: 'workflow/stuck',
      message: expect.stringMatching(/workflow task has been tried .*promoteModel.*continues once workers run/),
    });
    expect(await workflowLines(temporal, { workflowId })).toEqual([
      expect.stringMatching(/^! workflow task keeps failing: .*promoteModel/),
    ]);
    await started.terminate();
    expect(await whyStuck(temporal.client, workflowId)).toEqual([]);
  });
});

it('an activity that fails again and again is named with its attempts and failure; waiting for a lease is not', async () => {
  const queues = taskQueues(`stuck-${randomUUID()}`);
  const request = (model: string) => ({
    model,
    until: null,
    cause: { kind: 'person' },
    definitionSha256: 'd',
    ignoreWatermark: false,
  });
  const common = { connection, interceptors: { activity: [failureInterceptor] } };
  const waits = async () => {
    throw new PerdureError('lease/held', 'waits for another');
  };
  const broken = async ({ model }: { model: string }) => {
    if (model === 'broken') throw new Error('the database is away');
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: queues.workflows,
      ...(await loadWorkflowBundle(process.env.PERDURE_HOME ?? '.perdure')),
      activities: { parseTrainRequest: async ({ model }: { model: string }) => request(model) },
    }),
    Worker.create({ ...common, taskQueue: queues.activities, activities: { openRun: broken } }),
    Worker.create({ ...common, taskQueue: queues.waits, activities: { takeTrainingLease: waits } }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const start = (model: string) =>
    temporal.client.workflow.start('trainModel', {
      workflowId: `train/${model}/${randomUUID()}`,
      taskQueue: queues.workflows,
      args: [{ model }],
    });
  const [stuck, waiting] = await Promise.all([start('broken'), start('waiting')]);
  const found = await pollUntil(
    'it is seen',
    50_000,
    async () => (await whyStuck(temporal.client, stuck.workflowId))[0],
  );
  expect(found).toMatchObject({ what: 'openRun', lastFailure: 'the database is away', since: expect.any(String) });
  expect(found.attempt).toBeGreaterThan(5);
  await pollUntil('the other has waited as long', 50_000, async () => {
    const { raw } = await waiting.describe();
    return (raw.pendingActivities?.[0]?.attempt ?? 0) > 5 ? true : undefined;
  });
  expect(await whyStuck(temporal.client, waiting.workflowId)).toEqual([]);
  await Promise.all([stuck.terminate(), waiting.terminate()]);
  for (const worker of workers) worker.shutdown();
  await running;
});
