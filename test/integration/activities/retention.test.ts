import { randomUUID } from 'node:crypto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createRetentionActivities, type RetentionPass } from '../../../activities/serving/retention.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectTemporal } from '../../../client/connect.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition, definitionInForce } from '../../../db/model/definition-queries.js';
import { closeRun, openRun } from '../../../db/training/run-queries.js';
import { rolloutWithLooks } from '../../../db/rollout/rollout-lists.js';
import { openRollout, recordLook, setRolloutState } from '../../../db/rollout/rollout-queries.js';
import { rolloutSteering } from '../../../db/schema/index.js';
import type { StageJudgement } from '../../../domain/rollout/judge/judge.js';
import { insertGatewayEvents } from '../../../db/serving/gateway-events.js';
import { listGateways } from '../../../db/serving/gateway-lists.js';
import { acknowledgeRoute, forgetGateway, recordGateway } from '../../../db/serving/gateway-queries.js';
import { retentionRunsOf } from '../../../db/retention-runs.js';
import { rollUpWindows } from '../../../db/serving/roll-up-windows.js';
import { storeId } from '../../../db/serving/route-queries.js';
import { insertServingWindows, servedTraffic } from '../../../db/serving/serving-windows.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { SettledRollout } from '../../../domain/rollout/rollout-plan.js';
import { latencyBoundsMs, scoreBins } from '../../../domain/serving/serving-window.js';
import { taskQueues } from '../../../domain/task-queues.js';
import { retentionCheck } from '../../../oversight/retention-check.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { loadWorkflowBundle } from '../../../workers/workflow-bundle.js';
import { changeFacts, createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { openTestBucket } from '../data/test-bucket.js';
import { pollUntil } from '../../support/poll-until.js';

vi.setConfig({ testTimeout: 120_000 });
const environment = 'production' as const;
const dayMs = 86_400_000;
const cause = { kind: 'person', id: 'x', actor: 'ada@example.org' } as const;
let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let activities: ReturnType<typeof createRetentionActivities>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  store = await openTestBucket();
  activities = createRetentionActivities({ db, store } as unknown as ActivityDependencies);
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
});

const run = async (job: keyof typeof activities) => {
  const { removed, more } = await new MockActivityEnvironment().run<[], RetentionPass, () => Promise<RetentionPass>>(
    activities[job],
  );
  expect(more).toBe(false);
  return removed;
};
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);
const dayOf = (days: number) => daysAgo(days).toISOString().slice(0, 10);

async function appliedModel(retentionDays: number): Promise<string> {
  const name = `m-${randomUUID().slice(0, 8)}`;
  const monitoring = { retentionDays, labelDelayMaxDays: Math.min(30, retentionDays) };
  await applyDefinition(db, parseModelDefinition({ ...flightDelay, name, monitoring }), 'test');
  return name;
}

it('what the judge saw ends 90 days after a rollout, but for the looks that say why it moved; what it said stays', async () => {
  const ended = { recent: 89, old: 91, steered: 400 };
  for (const [id, days] of Object.entries(ended)) {
    const place = { environment, model: `looked-${id}`, challenger: 2, champion: 1, promotionId: null };
    await openRollout(db, { id, workflowId: 'w', ...place, settled: {} as SettledRollout });
    for (let look = 1; look <= 30; look += 1) {
      const verdict = look < 20 ? ('no-data' as const) : ('pass' as const);
      const inputs = { requests: look };
      await recordLook(db, { rolloutId: id, look, stage: 0, inputs, result: { verdict } as StageJudgement });
    }
    await setRolloutState(db, id, 'completed', 0, null, 1);
    await changeFacts(database.ownerUrl, async (sql) => {
      await sql`update rollouts set finished_at = ${daysAgo(days)} where id = ${id}`;
      await sql`update rollout_looks set at = ${daysAgo(days + 1)}::timestamptz + make_interval(mins => look)
        where rollout_id = ${id}`;
    });
  }
  const said = { id: 's', rolloutId: 'steered', actor: 'ada', reason: 'r', via: 'update', accepted: true } as const;
  const at = new Date(daysAgo(401).getTime() + 7.5 * 60_000);
  await db.orm.insert(rolloutSteering).values({ ...said, command: 'pause', stage: 0, answer: 'paused', at });

  expect(await run('removeOldRows')).toMatchObject({ 'inputs of looks': 27 + 26 });
  expect(await run('removeOldRows')).not.toHaveProperty('inputs of looks');
  const left = async (id: string) => {
    const { looks } = await rolloutWithLooks(db, id);
    expect(looks).toHaveLength(30);
    expect(looks.every(({ result, inputsSha256 }) => result.verdict !== undefined && inputsSha256 !== '')).toBe(true);
    return looks.filter(({ inputs }) => inputs !== null).map(({ look }) => look);
  };
  expect(await left('recent')).toHaveLength(30);
  expect(await left('old')).toEqual([1, 20, 30]);
  expect(await left('steered')).toEqual([1, 7, 20, 30]);
});

it('prediction logs and labels end with the days that each model’s definition keeps, the last of them whole', async () => {
  const [short, long] = [await appliedModel(10), await appliedModel(50)];
  const keys = (model: string, days: number) => [
    objectKeys.predictions(environment, model, dayOf(days), '20130101T000000Z-00000000-1'),
    objectKeys.predictions('staging', model, dayOf(days), '20130101T000000Z-00000000-1'),
    objectKeys.labels(model, dayOf(days), '20130101T000000Z-00000000-2'),
  ];
  for (const model of [short, long])
    for (const days of [0, 10, 11, 12, 49, 51, 900])
      for (const key of keys(model, days)) await store.put(key, Buffer.from('x'));
  await store.put(`predictions/${environment}/${short}/of-somebody-else.parquet`, Buffer.from('x'));
  expect(await run('removeOldLogs')).toEqual({ predictions: 14, labels: 7 });
  const kept = async (model: string) =>
    (await store.list(objectKeys.labelsOf(model)))
      .map(({ key }) => /day=([\d-]+)/.exec(key)?.[1])
      .sort((a = '', b = '') => a.localeCompare(b));
  expect(await kept(short)).toEqual([dayOf(10), dayOf(0)]);
  expect(await kept(long)).toEqual([dayOf(49), dayOf(12), dayOf(11), dayOf(10), dayOf(0)]);
  expect(await store.list(objectKeys.predictionsOf(environment, short))).toHaveLength(3);
  expect(await run('removeOldLogs')).toEqual({});
});

it('files that a run handed from step to step end a month after, and labels that nobody could read with the logs; those of an open run stay', async () => {
  const model = await appliedModel(20);
  const { sha256: definitionSha256 } = await definitionInForce(db, model);
  const [over, open] = [randomUUID(), randomUUID()];
  for (const id of [over, open])
    await openRun(db, { id, workflowId: `train/${model}/${id}`, model, definitionSha256, cause, until: null });
  await closeRun(db, { runId: over, outcome: 'no-new-data', reason: 'r', watermark: null });
  const unreadable = objectKeys.unreadableLabels(model, 'x.parquet');
  const keys = [...[over, open].map((id) => objectKeys.runFile(id, 'result.json')), unreadable];
  for (const key of keys) await store.put(key, Buffer.from('x'));
  const left = async () => {
    const there = await Promise.all(keys.map(async (key) => (await store.list(key)).map((one) => one.key)));
    return there.flat();
  };
  const after = async (days: number) => {
    const later = createRetentionActivities({ db, store }, () => daysAgo(-days));
    await new MockActivityEnvironment().run(later.removeOldLogs);
    return left();
  };
  expect(await after(19)).toEqual(keys);
  expect(await after(22)).toEqual(keys.slice(0, 2));
  expect(await after(29)).toEqual(keys.slice(0, 2));
  expect(await after(31)).toEqual([keys[1]]);
});

it('a gateway that never returns is forgotten with what it acknowledged, one that stops at once', async () => {
  const model = await appliedModel(400);
  const store = await storeId(db);
  for (const gatewayId of ['silent', 'stopped', 'lives']) {
    await recordGateway(db, { gatewayId, environment, url: 'http://127.0.0.1:1', bootId: 'b' });
    await acknowledgeRoute(db, { gatewayId, environment, model, storeId: store, epoch: 1 });
  }
  await forgetGateway(db, { gatewayId: 'stopped', bootId: 'b' });
  await db.sql`update gateways set heartbeat_at = now() - interval '8 days' where id = 'silent'`;
  await db.sql`update gateway_acknowledgements set at = now() - interval '8 days' where gateway_id <> 'stopped'`;
  expect(await run('removeOldRows')).toMatchObject({ 'silent gateways': 1, acknowledgements: 1 });
  expect((await listGateways(db, { limit: 10 })).items).toMatchObject([{ id: 'lives', routes: [{ model, epoch: 1 }] }]);
  expect(
    (await db.sql`select gateway_id from gateway_acknowledgements`).map((row) => String(row['gateway_id'])),
  ).toEqual(['lives']);
});

it('events end after ninety days, counts with the model’s logs unless a rollout is open', async () => {
  const [idle, judged] = [await appliedModel(10), await appliedModel(10)];
  const event = { gatewayId: 'g', environment, model: idle, version: 1, kind: 'refused' as const, message: 'why' };
  await insertGatewayEvents(db, [
    { ...event, id: 'young', at: daysAgo(89).toISOString() },
    { ...event, id: 'old', at: daysAgo(91).toISOString() },
  ]);
  const counts = {
    latency: latencyBoundsMs.map(() => 0).concat(0),
    scores: Array.from({ length: scoreBins }, () => 0),
  };
  for (const model of [idle, judged])
    await insertServingWindows(
      db,
      [1, 9, 11, 60].map((days, epoch) => {
        const at = daysAgo(days).toISOString();
        const subject = { environment, model, version: 1, epoch, role: 'split' as const, cold: false };
        return {
          id: `g/${model}/${epoch}`,
          gatewayId: 'g',
          ...subject,
          from: at,
          to: at,
          requests: 10 ** epoch,
          errors: 0,
          ...counts,
        };
      }),
    );
  await openRollout(db, {
    ...{ id: judged, workflowId: 'w', environment, model: judged, challenger: 2, champion: 1, promotionId: null },
    settled: { policy: { strategy: 'direct' } } as unknown as SettledRollout,
  });
  const requests = async (model: string) => (await servedTraffic(db, model, environment))[0]?.requests;
  expect([await requests(idle), await requests(judged)]).toEqual([1111, 1111]);
  while ((await rollUpWindows(db, 0)).more);
  await run('rollUpServingWindows');
  const removed = await run('removeOldRows');
  expect(removed).toMatchObject({ 'gateway events': 1 });
  expect([await requests(idle), await requests(judged)]).toEqual([11, 1111]);
  const grains = await db.sql<{ bucket: Date }[]>`select bucket from serving_rollups where model = ${idle}`;
  expect(grains).toHaveLength(2);
});

it('runs for ever as a workflow that goes on while the object store is away, and the doctor says when it ran last', async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const temporal = await connectTemporal(loadTemporalConfig());
  const connection = await NativeConnection.connect(loadTemporalConfig().connection);
  const queues = taskQueues(`retain-${randomUUID()}`);
  const bundle = await loadWorkflowBundle(process.env.PERDURE_HOME ?? '.perdure');
  const away = {
    listFolders: () => Promise.reject(new Error('the object store is away')),
  } as unknown as ObjectStore;
  const workers = await Promise.all([
    Worker.create({ connection, taskQueue: queues.workflows, ...bundle }),
    Worker.create({
      connection,
      taskQueue: queues.activities,
      activities: createRetentionActivities({ db, store: away } as unknown as ActivityDependencies),
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const before = new Map((await retentionRunsOf(db)).map(({ job, ranAt }) => [job, ranAt.getTime()]));
  const handle = await temporal.client.workflow.start('retain', {
    workflowId: `retain-${randomUUID()}`,
    taskQueue: queues.workflows,
  });
  try {
    await pollUntil('a pass has run', 60_000, async () => {
      const runs = await retentionRunsOf(db);
      return ['serving-windows', 'old-rows'].every((job) =>
        runs.some((one) => one.job === job && one.ranAt.getTime() > (before.get(one.job) ?? 0)),
      )
        ? true
        : undefined;
    });
    expect(await retentionCheck(db, true)).toMatchObject({
      outcome: 'ok',
      finding: expect.stringContaining('old-rows at') as string,
    });
    expect(await retentionCheck(db, false)).toMatchObject({ outcome: 'problem' });
    await pollUntil('it waits for the next pass though logs could not be removed', 60_000, async () => {
      const { events } = await handle.fetchHistory();
      return events?.some((event) => event.timerStartedEventAttributes) ? true : undefined;
    });
    expect((await handle.describe()).status.name).toBe('RUNNING');
  } finally {
    await handle.terminate('the test is over');
    for (const worker of workers) worker.shutdown();
    await running;
    await Promise.all([connection.close(), temporal.close()]);
  }
});
