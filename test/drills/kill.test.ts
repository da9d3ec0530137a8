import { execFile, spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../client/workflow-result.js';
import { promotionResult, promotionStatus } from '../../client/promotion.js';
import { rolloutStatus } from '../../client/rollout.js';
import { startTraining, trainingResult } from '../../client/training.js';
import { workflowIds } from '../../domain/ids.js';
import { openLog } from '../../infra/embedded/processes/logs.js';
import type { Split } from '../../domain/serving/route.js';
import { findTemporal } from '../../infra/embedded/servers/tools.js';
import { arrive } from '../../infra/main-job/arrival.js';
import { liveFlights } from '../../infra/main-job/live-flights.js';
import { replayTraffic, type TrafficCounts } from '../../infra/main-job/traffic.js';
import flightDelay from '../../models/flight-delay/model.js';
import { pollUntil } from '../support/poll-until.js';
import { startKillStack, type Healed, type KillStack } from './kill-stack.js';
import { createPlace, processesOf, type Place } from '../support/place.js';
import { addressOf } from '../../infra/embedded/stack-environment.js';

const execute = promisify(execFile);
const model = flightDelay.name;
const requestsPerSecond = 250;

const sharesOf = (split: Split): Record<number, number> =>
  Object.fromEntries(split.map(({ version, sharePct }) => [version, sharePct]));

/**
 * One life of the main job in which every process is killed with -9 at the step where it hurts most. The tests build on
 * each other: what one has brought about is where the next begins.
 */
describe('kill -9', () => {
  let place: Place;
  let all: KillStack;
  const healed: (Healed & { during: string })[] = [];
  const trafficOver = new AbortController();
  let traffic: Promise<TrafficCounts> | undefined;

  const kill = async (during: string, ...names: readonly string[]) => {
    for (const one of await all.killAndHeal(...names)) healed.push({ ...one, during });
  };
  const arrived = (...months: readonly string[]) =>
    months.reduce(
      (before, month) =>
        before.then(() =>
          arrive({ api: all.api, model, projectRoot: place.config.projectRoot, home: place.home }, month),
        ),
      Promise.resolve(),
    );
  const untilTrainerRuns = ({ runId }: Started) =>
    pollUntil('the trainer runs', 120_000, async () => {
      const run = await all.api.run(runId);
      return run.steps.some((step) => step.step === 'train' && step.finishedAt === null) || undefined;
    });
  /** How often each activity of a run was begun, by the attempt that ended it. */
  const attemptsOf = async ({ workflowId }: Started) => {
    const { events } = await all.temporal.client.workflow.getHandle(workflowId).fetchHistory();
    const names = new Map(
      (events ?? []).map((event) => [
        Number(event.eventId),
        event.activityTaskScheduledEventAttributes?.activityType?.name,
      ]),
    );
    return Object.fromEntries(
      (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
        started ? [[names.get(Number(started.scheduledEventId)) ?? '', started.attempt ?? 0]] : [],
      ),
    );
  };
  const shares = async () =>
    (await all.api.routeHistory(model, { environment: 'production', limit: 500 })).items
      .toReversed()
      .map(({ epoch, split }) => [epoch, sharesOf(split)] as const);
  const newestShares = async () => (await shares()).at(-1)?.[1] ?? {};

  beforeAll(async () => {
    place = await createPlace('kill');
    all = await startKillStack(place);
    await all.api.apply({ definitions: [flightDelay], plan: false, prune: false, actor: 'test' });
  });
  afterAll(async () => {
    process.stdout.write(
      `\nback after kill -9: ` +
        `${healed
          .map(({ name, backAfterMs, during }) => `${name} ${(backAfterMs / 1000).toFixed(1)} s (${during})`)
          .join(', ')}\n`,
    );
    trafficOver.abort();
    await traffic?.catch(() => undefined);
    await all?.stop();
    const left = processesOf(place.home);
    place.remove();
    expect(left).toEqual([]);
  });

  it('of the training worker while the trainer runs: the run is taken up again and registers one version, which serves', async () => {
    await arrived('2013-01', '2013-02');
    const started = await startTraining(all.temporal, {
      model,
      cause: { kind: 'data', id: '2013-02', actor: 'system:data' },
    });
    await untilTrainerRuns(started);
    await kill('train', 'worker-training');
    expect(await trainingResult(all.temporal, started.workflowId)).toMatchObject({ outcome: 'registered', version: 1 });
    expect((await attemptsOf(started))['train']).toBe(2);
    expect(await promotionResult(all.temporal, workflowIds.promote(model, 1, 'production'))).toMatchObject({
      state: 'promoted',
    });
    expect(await shares()).toEqual([[1, { 1: 100 }]]);

    const requests = await liveFlights({ config: place.config, definition: flightDelay, month: '2013-04' });
    traffic = replayTraffic({
      gatewayUrl: addressOf(all.stack.addresses.gateways, 'production'),
      definition: flightDelay,
      requests,
      perSecond: requestsPerSecond,
      signal: trafficOver.signal,
    });
    traffic.catch(() => undefined); // Read at the end; it must not end the process before.
  });

  it('of Temporal and then the gateway during a training: the run goes on and registers one version, which waits for approval', async () => {
    await arrived('2013-03');
    const started = await startTraining(all.temporal, {
      model,
      cause: { kind: 'data', id: '2013-03', actor: 'system:data' },
    });
    await untilTrainerRuns(started);
    await kill('train', 'temporal');
    // One after the other: two restarts at once on two cores say more about the machine than about the gateway.
    const { status } = await all.temporal.client.workflow.getHandle(started.workflowId).describe();
    expect(status.name, 'the run must still go on when the gateway is killed').toBe('RUNNING');
    await kill('train', 'gateway-production');
    expect(await trainingResult(all.temporal, started.workflowId)).toMatchObject({ outcome: 'registered', version: 2 });
    await pollUntil(
      'promotion waits',
      60_000,
      async () =>
        (await all.api.promotions({ model, version: 2 })).items[0]?.state === 'waiting-for-approval' || undefined,
    );
  });

  it('of the gateway, then Temporal and the control worker while a promotion waits: a signal sent with the temporal command approves it, once', async () => {
    const promotion = workflowIds.promote(model, 2, 'production');
    await kill('waiting', 'gateway-production');
    await kill('waiting', 'worker-control', 'temporal');
    expect((await promotionStatus(all.temporal, promotion)).state).toBe('waiting-for-approval');
    const { path: temporal } = await findTemporal(place.config.projectRoot);
    const decision = JSON.stringify({ actor: 'ann@local', comment: 'ok' });
    const target = ['--address', all.stack.addresses.temporal, '--namespace', all.stack.addresses.temporalNamespace];
    await execute(temporal, [
      'workflow',
      'signal',
      ...target,
      '--workflow-id',
      promotion,
      '--name',
      'approve',
      '--input',
      decision,
    ]);
    await pollUntil('the canary begins', 60_000, async () => (await shares()).length === 2 || undefined);
    const {
      items: [shown],
    } = await all.api.promotions({ model, version: 2 });
    const { decisions } = await all.api.promotion(shown?.id ?? '');
    expect(decisions.map(({ actor, decision: said, via, counted }) => ({ actor, said, via, counted }))).toEqual([
      { actor: 'ann@local', said: 'approve', via: 'signal', counted: true },
    ]);
  });

  it('of the gateway, the control worker, Temporal, PostgreSQL and S3 in turn during the canary: it goes on to its end', async () => {
    const turns = [
      [5, 'gateway-production'],
      [5, 'worker-control'],
      [25, 'temporal'],
      [25, 'postgres'],
      [100, 's3'],
    ] as const;
    for (const [sharePct, name] of turns) {
      await pollUntil(
        `version 2 gets ${sharePct} %`,
        120_000,
        async () => (await newestShares())[2] === sharePct || undefined,
      );
      const {
        items: [latest],
      } = await all.api.rollouts({ model, limit: 1 });
      expect(latest?.state, `the canary must still go on when ${name} is killed`).toBe('running');
      await kill(`canary at ${sharePct} %`, name);
      await pollUntil(`the rollout answers after ${name}`, 30_000, () =>
        rolloutStatus(all.temporal, 'production', model),
      );
    }
    const result = await pollUntil('the promotion ends', 180_000, async () => {
      const { status } = await all.temporal.client.workflow
        .getHandle(workflowIds.promote(model, 2, 'production'))
        .describe();
      return status.name === 'RUNNING'
        ? undefined
        : promotionResult(all.temporal, workflowIds.promote(model, 2, 'production'));
    });
    expect(result).toMatchObject({ state: 'promoted' });
  });

  it('lost no prediction and did nothing twice: one version a run, one promotion a version, one route history', async () => {
    trafficOver.abort();
    const counts = await traffic;
    expect(counts?.failed).toBe(0);
    expect(counts?.answered['1']).toBeGreaterThan(1000);
    expect(counts?.answered['2']).toBeGreaterThan(500);
    expect(Object.keys(counts?.answered ?? {})).toEqual(['1', '2']);

    const { items: runs } = await all.api.runs({ model });
    expect(
      runs
        .map(({ outcome, version }) => ({ outcome, version }))
        .toSorted((left, right) => Number(left.version) - Number(right.version)),
    ).toEqual([
      { outcome: 'registered', version: 1 },
      { outcome: 'registered', version: 2 },
    ]);
    expect(
      (await all.api.versions(model)).items.map(({ version }) => version).toSorted((left, right) => left - right),
    ).toEqual([1, 2]);
    const promotions = await Promise.all(
      (await all.api.promotions({ model })).items.map(({ id }) => all.api.promotion(id)),
    );
    expect(
      promotions
        .map(({ version, state, decisions }) => ({
          version,
          state,
          counted: decisions.filter((one) => one.counted).length,
        }))
        .toSorted((left, right) => left.version - right.version),
    ).toEqual([
      { version: 1, state: 'promoted', counted: 1 },
      { version: 2, state: 'promoted', counted: 1 },
    ]);
    expect(
      (await all.api.rollouts({ model })).items
        .map(({ challenger, state }) => ({ challenger, state }))
        .toSorted((left, right) => left.challenger - right.challenger),
    ).toEqual([
      { challenger: 1, state: 'completed' },
      { challenger: 2, state: 'completed' },
    ]);
    expect(await shares()).toEqual([
      [1, { 1: 100 }],
      [2, { 1: 95, 2: 5 }],
      [3, { 1: 75, 2: 25 }],
      [4, { 2: 100 }],
    ]);
    const ended = await pollUntil('every workflow is listed as ended', 30_000, async () => {
      // The reconciler and retention live for ever; that the first gave nothing back shows in what else there is.
      const found = (await all.workflows()).filter(
        ({ type }) => !['reconcile', 'retain', 'compactLogs'].includes(type),
      );
      return found.every(({ status }) => status.name !== 'RUNNING') && found.length >= 6 ? found : undefined;
    });
    expect(ended.map(({ workflowId, status }) => `${workflowId} ${status.name}`).toSorted()).toEqual(
      [
        `${workflowIds.promote(model, 1, 'production')} COMPLETED`,
        `${workflowIds.promote(model, 2, 'production')} COMPLETED`,
        `${workflowIds.rollout('production', model)} COMPLETED`,
        `${workflowIds.rollout('production', model)} COMPLETED`,
        `${workflowIds.train(model, { kind: 'data', id: '2013-02' })} COMPLETED`,
        `${workflowIds.train(model, { kind: 'data', id: '2013-03' })} COMPLETED`,
      ].toSorted(),
    );
  });

  it('and repeating a run finds the version that it made: nothing is trained, nobody is asked', async () => {
    const started = await startTraining(all.temporal, {
      model,
      until: '2013-03',
      cause: { kind: 'person', id: 'again', actor: 'ann@local' },
    });
    expect(await trainingResult(all.temporal, started.workflowId)).toMatchObject({
      outcome: 'unchanged',
      version: 2,
      promotion: null,
    });
    const run = await all.api.run(started.runId);
    expect(run).toMatchObject({ outcome: 'unchanged', version: null });
    expect(run.steps.map(({ step }) => step)).toEqual(['snapshot']);
    expect(run.reason).toMatch(/@2 was trained on the same data .*--force/);
  });

  it('of a worker that nobody restarts: a second one beside it takes over the training', async () => {
    const taskQueue = 'takeover';
    const workers = new Map<number, ChildProcess>();
    for (const name of ['takeover-a', 'takeover-b']) {
      const worker = spawn(
        process.execPath,
        ['--import', 'tsx', path.join(place.config.projectRoot, 'workers', 'main.ts')],
        {
          cwd: place.config.projectRoot,
          env: { ...place.env, ...all.stack.env, PERDURE_TASK_QUEUE: taskQueue, PERDURE_WORKER_NAME: name },
          stdio: ['ignore', 'ignore', openLog(place.home, name), 'ipc'],
        },
      );
      workers.set(worker.pid ?? 0, worker);
    }
    try {
      const temporal = {
        ...all.temporal,
        config: { ...all.temporal.config, taskQueues: { ...all.temporal.config.taskQueues, workflows: taskQueue } },
      };
      const started = await startTraining(temporal, {
        model,
        until: '2013-03',
        force: true,
        cause: { kind: 'person', id: 'takeover', actor: 'ann@local' },
      });
      await untilTrainerRuns(started);
      const { raw } = await all.temporal.client.workflow.getHandle(started.workflowId).describe();
      const holder =
        raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'train')?.lastWorkerIdentity ?? '';
      const victim = workers.get(Number(holder.split('@')[0]));
      if (!victim) throw new Error(`the trainer runs in ${holder}, none of ${[...workers.keys()].join(', ')}`);
      victim.kill('SIGKILL');
      expect(await trainingResult(all.temporal, started.workflowId)).toMatchObject({
        outcome: 'registered',
        version: 3,
      });
      expect((await attemptsOf(started))['train']).toBe(2);
      const [second, third] = await Promise.all([2, 3].map((version) => all.api.version(model, version)));
      expect(third?.artifactSha256, 'the same snapshot, definition and seed').toBe(second?.artifactSha256);
      expect(
        [...workers.values()].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).length,
      ).toBe(1);
    } finally {
      const living = [...workers.values()].filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      );
      await Promise.all(
        living.map((worker) => new Promise((resolve) => (worker.once('exit', resolve), worker.kill('SIGTERM')))),
      );
    }
  });
});
