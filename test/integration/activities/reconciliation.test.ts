import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it as inOrder, vi } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { activitiesOf, createActivities } from '../../../activities/index.js';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { workflowLife } from '../../../client/workflow-life.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { listGatewayEvents } from '../../../db/serving/gateway-events.js';
import { acknowledgeRoute, recordGateway } from '../../../db/serving/gateway-queries.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { heldLeases } from '../../../db/reconciliation-queries.js';
import { openPromotion, promotionById, setPromotionState } from '../../../db/promotion/promotion-queries.js';
import { rolloutOutlook } from '../../../db/rollout/rollout-facts.js';
import { openRollout, rolloutById, setRolloutState } from '../../../db/rollout/rollout-queries.js';
import { currentRoutesOf, routeOf, writeRoute } from '../../../db/serving/route-queries.js';
import { routeHistory } from '../../support/route-history.js';
import { runById, startRunStep } from '../../../db/training/run-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { runWithSnapshot } from '../../../db/training/run-lists.js';
import { leaseNames, workflowIds } from '../../../domain/ids.js';
import { holderText } from '../../../domain/lease-holder.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { activityQueues, taskQueues } from '../../../domain/task-queues.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { failureInterceptor } from '../../../workers/failure-interceptor.js';
import { loadWorkflowBundle } from '../../../workers/workflow-bundle.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { openedRun } from '../db/registered-run.js';
import { pollUntil } from '../../support/poll-until.js';

const environment = 'production' as const;
const queues = taskQueues(`reconcile-${randomUUID()}`);
vi.setConfig({ testTimeout: 180_000 });

let temporal: TemporalHandle;
let database: TestDatabase;
let db: Database;
let reconciler: WorkflowHandleWithFirstExecutionRunId;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  temporal = await connectTemporal(loadTemporalConfig());
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  const config = loadPerdureConfig({});
  const deps = { db, temporal: temporal.client, config } as unknown as ActivityDependencies;
  const connection = await NativeConnection.connect(loadTemporalConfig().connection);
  const common = { connection, interceptors: { activity: [failureInterceptor] }, shutdownForceTime: '5s' };
  const activities = createActivities(deps);
  const bundle = await loadWorkflowBundle(process.env.PERDURE_HOME ?? '.perdure');
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: queues.workflows, ...bundle, activities: activities.local }),
    ...activityQueues.map((queue) =>
      Worker.create({ ...common, taskQueue: queues[queue], activities: activitiesOf(queue, activities) }),
    ),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const { handle, stopGateway } = await startParts();
  reconciler = handle;
  undo.push(
    () => temporal.client.workflow.getHandle(handle.workflowId).terminate('the test is over'),
    async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
    },
    stopGateway,
    () => temporal.close(),
    () => db.close(),
    () => database.drop(),
  );
});
afterAll(async () => {
  for (const step of undo) await step();
});

/** The reconciler, and a gateway that serves whatever route is in force. */
async function startParts() {
  const server = createServer((request, response) => {
    const version = /versions\/(\d+)\/infer/.exec(request.url ?? '')?.[1];
    request.resume().on('end', () => response.end(JSON.stringify({ model_version: version, outputs: [] })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const beat = async () => {
    await recordGateway(db, { gatewayId: 'g', environment, url, bootId: 'b' });
    for (const { model, epoch, storeId } of await currentRoutesOf(db, environment))
      await acknowledgeRoute(db, { gatewayId: 'g', environment, model, storeId, epoch });
  };
  await beat();
  const timer = setInterval(() => void beat().catch(() => undefined), 300);
  const handle = await temporal.client.workflow.start('reconcile', {
    workflowId: `reconcile-${randomUUID()}`,
    taskQueue: queues.workflows,
  });
  const stopGateway = async () => {
    clearInterval(timer);
    await new Promise((resolve) => server.close(resolve));
  };
  return { handle, stopGateway };
}

/** A workflow that runs, since nobody works on its queue. */
async function running(type: string, workflowId: string) {
  const handle = await temporal.client.workflow.start(type, {
    workflowId,
    taskQueue: `nobody-${workflowId}`,
    args: [{}],
  });
  return { id: handle.firstExecutionRunId, workflowId, end: () => handle.terminate('by hand') };
}

/** A model with two versions, the first of which serves. */
async function served(
  rollout: Record<string, unknown> = { strategy: 'canary', steps: [{ sharePct: 20 }, { sharePct: 100 }] },
) {
  const model = `m-${randomUUID().slice(0, 8)}`;
  const { sha256 } = await applyDefinition(db, parseModelDefinition({ ...flightDelay, name: model, rollout }), 'test');
  for (const version of [1, 2]) {
    const training = await running('trainModel', `train/${model}/${version}`);
    const run = await openedRun(db, model, training.id, null, training.workflowId);
    await registerVersion(db, { ...run, definitionSha256: sha256 });
    await training.end();
  }
  await applyDefinition(db, parseModelDefinition({ ...flightDelay, name: model, rollout }), 'test');
  const writer = await running('rolloutModel', `first/${model}`);
  const lease = await leaseOf(model, holderText({ workflowId: writer.workflowId, runId: writer.id }));
  await writeRoute(db, {
    environment,
    model,
    lease,
    split: [{ version: 1, sharePct: 100 }],
    reason: 'first',
    idempotencyKey: `${model}/first`,
  });
  await db.sql`update leases set released_at = now() where name = ${lease.name}`;
  await writer.end();
  return model;
}

async function leaseOf(model: string, holder: string) {
  const taken = await acquireLease(db, leaseNames.rollout(environment, model), holder);
  if (!('grant' in taken)) throw new Error('held');
  return taken.grant;
}

/** A canary of version 2 with 20 % of the traffic, and the promotion that asked for it. */
async function canary(model: string) {
  const promotion = await running('promoteModel', workflowIds.promote(model, 2, environment));
  const rollout = await running('rolloutModel', workflowIds.rollout(environment, model));
  await openPromotion(db, { ...promotion, model, version: 2, environment, requestedBy: 'rita' });
  await setPromotionState(db, promotion.id, 'rolling-out', null, 0);
  const { settled } = await rolloutOutlook(db, { environment, model, challenger: 2, alsoShadow: [] });
  const parts = {
    environment,
    model,
    challenger: 2,
    champion: settled.parties.champion,
    promotionId: promotion.id,
    settled,
  };
  await openRollout(db, { id: rollout.id, workflowId: rollout.workflowId, ...parts });
  const lease = await leaseOf(model, holderText({ workflowId: rollout.workflowId, runId: rollout.id }));
  const split = [
    { version: 1, sharePct: 80 },
    { version: 2, sharePct: 20 },
  ];
  await writeRoute(db, {
    environment,
    model,
    lease,
    split,
    reason: 'rollout of it',
    idempotencyKey: `${rollout.id}/step-0`,
  });
  return { promotion, rollout, lease };
}

const within = 60_000;
/** Each has a model of its own and waits for the next passes of the reconciler: they wait together. */
const it = inOrder.concurrent;

it('a rollout whose workflow was terminated gives its share back within a minute, proven, and is closed with its promotion and the reason', async () => {
  const model = await served();
  const { promotion, rollout, lease } = await canary(model);
  const other = await served();
  const alive = await canary(other);
  const endedAt = Date.now();
  await Promise.all([rollout.end(), promotion.end()]);
  const closed = await pollUntil('the rollout is closed', within, async () => {
    const row = await rolloutById(db, rollout.id);
    return row?.finishedAt ? row : undefined;
  });
  expect(closed).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(
      /its workflow was terminated at 20.*; version 1 answers all traffic again since epoch 3/,
    ),
  });
  expect(Date.now() - endedAt).toBeLessThan(within);
  expect(await routeOf(db, environment, model)).toMatchObject({ epoch: 3, split: [{ version: 1, sharePct: 100 }] });
  await pollUntil('the promotion is closed', within, async () =>
    (await promotionById(db, promotion.id)).closedAt ? true : undefined,
  );
  expect(await promotionById(db, promotion.id)).toMatchObject({
    state: 'rolled-back',
    reason: expect.stringContaining('was terminated at'),
  });
  expect((await listGatewayEvents(db, { environment, model, limit: 5 })).items).toMatchObject([
    { kind: 'share-given-back', version: 2 },
  ]);
  expect((await heldLeases(db)).map(({ name }) => name)).not.toContain(lease.name);

  // What it still would write comes too late.
  await expect(setRolloutState(db, rollout.id, 'running', 1, null, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
    code: 'state/conflict',
  });
  const late = {
    environment,
    model,
    lease,
    split: [{ version: 2, sharePct: 100 }],
    reason: 'late',
    idempotencyKey: `${rollout.id}/step-1`,
  };
  await expect(writeRoute(db, late)).rejects.toMatchObject({ code: 'lease/lost' });

  // What lives is left alone.
  expect(await rolloutById(db, alive.rollout.id)).toMatchObject({ state: 'running', finishedAt: null });
  expect(await routeHistory(db, other)).toHaveLength(2);
  expect(await promotionById(db, alive.promotion.id)).toMatchObject({ state: 'rolling-out' });
  await Promise.all([alive.rollout.end(), alive.promotion.end()]);
});

it('runs, promotions and reviews whose workflows ended are closed with the reason, and their leases are free', async () => {
  const model = await served();
  const training = await running('trainModel', workflowIds.train(model, { kind: 'person', id: 'x' }));
  const run = await openedRun(db, model, training.id, null, training.workflowId);
  await startRunStep(db, { runId: run.runId, step: 'train', writeOrder: 0 });
  await acquireLease(db, leaseNames.training(model), holderText({ workflowId: training.workflowId, runId: run.runId }));
  const promotion = await running('promoteModel', workflowIds.promote(model, 2, environment));
  await openPromotion(db, { ...promotion, model, version: 2, environment, requestedBy: 'rita' });
  await Promise.all([training.end(), promotion.end()]);
  await pollUntil('the run is closed', within, async () => (await runById(db, run.runId)).finishedAt ?? undefined);
  expect(await runWithSnapshot(db, run.runId)).toMatchObject({
    outcome: 'failed',
    steps: [{ step: 'train', finishedAt: expect.any(Date) }],
  });
  await pollUntil(
    'the promotion is closed',
    within,
    async () => (await promotionById(db, promotion.id)).closedAt ?? undefined,
  );
  expect(await promotionById(db, promotion.id)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/terminated at .*perdure promote/),
  });
  await pollUntil('the lease is free', within, async () =>
    (await heldLeases(db)).some(({ name }) => name === leaseNames.training(model)) ? undefined : true,
  );
});

it('a share that its ended rollout left behind is given back too', async () => {
  const model = await served();
  const { promotion, rollout } = await canary(model);
  await setRolloutState(db, rollout.id, 'aborted', 0, 'lease lost', 0);
  await Promise.all([rollout.end(), promotion.end()]);
  await pollUntil('the champion serves alone', within, async () =>
    (await routeOf(db, environment, model))?.split.length === 1 ? true : undefined,
  );
  expect(await rolloutById(db, rollout.id)).toMatchObject({ state: 'aborted', reason: 'lease lost' });
});

inOrder(
  'a workflow lives while the chain that its first run began does, resets included, and no later one of its id counts',
  async () => {
    const first = await running('trainModel', `train/reset/${randomUUID()}`);
    expect(await workflowLife(temporal.client, { workflowId: first.workflowId, runId: first.id })).toEqual({
      runs: true,
    });
    await first.end();
    expect(await workflowLife(temporal.client, { workflowId: first.workflowId, runId: first.id })).toMatchObject({
      runs: false,
      ended: expect.stringMatching(/^was terminated at/),
    });
    const later = await running('trainModel', first.workflowId);
    expect(await workflowLife(temporal.client, { workflowId: first.workflowId, runId: first.id })).toMatchObject({
      runs: false,
    });
    expect(await workflowLife(temporal.client, { workflowId: first.workflowId, runId: later.id })).toEqual({
      runs: true,
    });
    await later.end();

    const { workflowId, firstExecutionRunId: runId } = reconciler;
    await pollUntil('its first task is done', within, async () =>
      (await temporal.client.workflow.getHandle(workflowId).describe()).historyLength > 4 ? true : undefined,
    );
    await temporal.client.workflowService.resetWorkflowExecution({
      namespace: temporal.config.namespace,
      workflowExecution: { workflowId, runId },
      reason: 'a person resets it',
      // The generated type wants a Long; the wire takes the number.
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
    });
    expect((await temporal.client.workflow.getHandle(workflowId).describe()).runId).not.toBe(runId);
    expect(await workflowLife(temporal.client, { workflowId, runId })).toEqual({ runs: true });
    expect(await workflowLife(temporal.client, { workflowId: `nobody-${randomUUID()}`, runId: 'x' })).toMatchObject({
      runs: false,
    });
  },
);
