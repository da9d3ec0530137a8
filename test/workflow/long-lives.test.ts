import { randomUUID } from 'node:crypto';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { PerdureError } from '../../domain/errors.js';
import { workflowIds } from '../../domain/ids.js';
import { promotionPolicySchema } from '../../domain/promotion/promotion-policy.js';
import { rolloutPolicySchema } from '../../domain/rollout/rollout-policy.js';
import {
  abortSignal,
  approveSignal,
  decidePromotionUpdate,
  pauseSignal,
  promotionStatusQuery,
  resumeSignal,
  rolloutStatusQuery,
} from '../../workflows/messages.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { eventually as pollUntil } from '../support/poll-until.js';
import { wholeRoute } from '../support/fakes/world-facts.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { eventsOfRuns } from './run-chain.js';

// A clock for each: what one leaves behind keeps no other from skipping over time.
const it = test.extend<{ bench: Bench }>({
  // eslint-disable-next-line no-empty-pattern
  bench: async ({}, use) => {
    const bench = await createBench();
    await use(bench);
    await bench.close();
  },
});
// Much of a life is waiting for servers; more at once would make each wait for the processor.
vi.setConfig({ maxConcurrency: 3 });

const dayMs = 86_400_000;
const lifeMs = 400 * dayMs;
/**
 * What no run of a chain may come near: at 50 thousand events Temporal ends a workflow, and each task replays them all.
 */
const eventsMax = 2000;
/** The shortest time that a schema lets through which asks for a positive one. */
const least = Number.MIN_VALUE;

type Handle = WorkflowHandleWithFirstExecutionRunId;

/** Lets a workflow live; the events of each run of its chain afterwards. */
async function live(
  bench: Bench,
  world: FakeWorld,
  {
    workflow,
    workflowId = `${workflow}-${randomUUID()}`,
    args = [],
  }: { workflow: string; workflowId?: string; args?: object[] },
  work: (handle: Handle) => Promise<unknown>,
): Promise<number[]> {
  return bench.withWorkers(
    world,
    async (taskQueue) => {
      const handle = await bench.client.workflow.start(workflow, { taskQueue, workflowId, args });
      await work(handle);
      const counts = await eventsOfRuns(bench.client, handle);
      expect(Math.max(...counts)).toBeLessThan(eventsMax);
      return counts;
    },
    { giveUpAfterMs: 230_000 },
  );
}

/**
 * Lets a workflow live that goes on for ever, until it has seen all. Its runs carry nothing over: each is like the
 * first, and one that is lived to its end stands for all.
 */
const liveFor = (bench: Bench, world: FakeWorld, workflow: string, hasSeenAll: () => Promise<boolean>) =>
  live(bench, world, { workflow }, async ({ workflowId }) => {
    await pollUntil('it has seen all', hasSeenAll, 200_000);
    await bench.client.workflow.getHandle(workflowId).terminate();
  });

/** What a watch of the reconciler finds, mostly. */
const nothing = { closed: [], unwatched: [] };

/**
 * Refuses until so much time has passed, and is asked again after ten days each: between two tries nothing happens,
 * however many there are.
 */
async function refusedFor(bench: Bench, durationMs: number): Promise<() => Promise<void>> {
  const untilMs = (await bench.env.currentTimeMs()) + durationMs;
  return async () => {
    if ((await bench.env.currentTimeMs()) < untilMs)
      throw new PerdureError('lease/held', 'another goes first', { retryAfterMs: 10 * dayMs });
  };
}

/** Says something so many times, by many people at once. */
async function flood(count: number, say: () => Promise<unknown>): Promise<void> {
  for (let said = 0; said < count; said += 100)
    await Promise.all(Array.from({ length: Math.min(100, count - said) }, say));
}

/** Waits for rollouts: for another one asked again after ten days each, for its own at once. */
function waitsFor(bench: Bench, workflowId: string) {
  const rollout = () => bench.client.workflow.getHandle(workflowId);
  const untilOver = async (retryAfterMs: number) => {
    if ((await rollout().describe()).status.name === 'RUNNING')
      throw new PerdureError('lease/held', 'another goes first', { retryAfterMs });
  };
  return {
    awaitRolloutTurn: () => untilOver(10 * dayMs),
    awaitRolloutEnd: async (): Promise<unknown> => (await untilOver(200), rollout().result()),
  };
}

const ownModel = () => `m-${randomUUID().slice(0, 8)}`;

describe.concurrent('in 400 days of the worst policy no run has 2,000 events:', { timeout: 240_000 }, () => {
  it('of a training run that lets another go first', async ({ bench }) => {
    const world = new FakeWorld();
    const { takeTrainingLease } = world.remote;
    const refuse = await refusedFor(bench, lifeMs);
    world.remote.takeTrainingLease = async (asked) => (await refuse(), takeTrainingLease(asked));
    const input = { model: ownModel(), cause: { kind: 'data', id: '2013-03' } };
    const counts = await live(bench, world, { workflow: 'trainModel', args: [input] }, (handle) => handle.result());
    expect(counts).toHaveLength(1);
    expect(world.registrations).toBe(1);
  });

  it('of a promotion that nobody decides on, whose policy reminds as often as it can', async ({ bench }) => {
    const expireAfterHours = 24 * 365;
    expect(promotionPolicySchema.safeParse({ expireAfterHours: expireAfterHours * 1.001 }).success).toBe(false);
    const world = new FakeWorld({ promotion: { remindAfterHours: least, expireAfterHours } });
    const input = { model: ownModel(), version: 2, requestedBy: 'rita' };
    const counts = await live(bench, world, { workflow: 'promoteModel', args: [input] }, async (handle) => {
      expect(await handle.result()).toMatchObject({ state: 'expired' });
    });
    expect(counts.length).toBeGreaterThan(1);
    expect(world.promotionStates).toEqual(['waiting-for-approval', 'expired']);
    // Each twentieth of its age: the last day of a year brings none more.
    expect(world.reminders).toBeGreaterThan(200);
    expect(world.reminders).toBeLessThan(1000);
  });

  it('of a promotion that is flooded with decisions while it waits for them, for another rollout, and for its own', async ({
    bench,
  }) => {
    const world = new FakeWorld({ rollout: { onInconclusive: 'extend', lookEverySeconds: 3600 } });
    world.verdicts = ['inconclusive'];
    world.roles = { ann: ['approver'] };
    const model = ownModel();
    const workflowId = workflowIds.rollout('production', model);
    Object.assign(world.remote, waitsFor(bench, workflowId));
    const input = { model, version: 2, requestedBy: 'rita' };
    const counts = await live(bench, world, { workflow: 'promoteModel', args: [input] }, async (handle) => {
      const { taskQueue } = await handle.describe();
      const first = await bench.client.workflow.start('rolloutModel', {
        taskQueue,
        workflowId,
        args: [{ model, version: 3 }],
      });
      const latest = bench.client.workflow.getHandle(handle.workflowId);
      const status = () => latest.query(promotionStatusQuery);
      const until = (state: string) =>
        eventually(
          `it is ${state}`,
          async () => (await status()).state,
          (is) => is === state,
        );
      const wrong = () => latest.signal(approveSignal, { actor: 'otto', comment: 'let it in' });
      const ruled = (count: number) =>
        eventually(
          `${count} decisions are ruled on`,
          async () => world.rulings.length,
          (rulings) => rulings >= count,
        );

      await until('waiting-for-approval');
      await flood(250, wrong);
      await ruled(250);
      await latest.executeUpdate(decidePromotionUpdate, { args: [{ decision: 'approve', actor: 'ann', comment: '' }] });
      await until('rolling-out');
      await flood(150, wrong);
      await ruled(401);
      await bench.env.sleep('400 days');
      await first.signal(abortSignal, { actor: 'ann', reason: 'give way' });
      await first.result();
      await eventually(
        'its own rollout runs',
        async () => (await bench.env.sleep('1 day'), world.challengerShares.length),
        (shares) => shares > 2,
      );
      await flood(150, wrong);
      await ruled(551);
      // Whose run has ended, though its child goes on: from here on this server skips over no time.
      await bench.client.workflow.getHandle(workflowId).signal(abortSignal, { actor: 'ann', reason: 'enough' });
      expect(await handle.result()).toMatchObject({ state: 'rolled-back', reason: 'aborted by ann: enough' });
    });
    expect(counts.length).toBeGreaterThan(2);
    expect(world.rulings.filter(({ counted }) => counted)).toMatchObject([{ actor: 'ann' }]);
    expect(world.rulings).toHaveLength(551);
    expect(world.gathered).toBe(1);
  });

  it('of a rollout whose stage never ends, and that people pause and resume again and again', async ({ bench }) => {
    const steps = [{ sharePct: 5, maxSeconds: 2 * (lifeMs / 1000) }, { sharePct: 100 }];
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps } });
    expect(rolloutPolicySchema.safeParse({ ...world.rolloutPolicy, lookEverySeconds: 0.999 }).success).toBe(false);
    world.verdicts = ['inconclusive'];
    const counts = await live(
      bench,
      world,
      { workflow: 'rolloutModel', args: [{ model: ownModel(), version: 2 }] },
      async (handle) => {
        const latest = bench.client.workflow.getHandle(handle.workflowId);
        await bench.env.sleep('200 days');
        await flood(150, () => latest.signal(pauseSignal, { actor: 'ann', reason: 'lunch' }));
        await eventually(
          'it is paused',
          async () => (await latest.query(rolloutStatusQuery))?.state,
          (state) => state === 'paused',
        );
        for (let round = 0; round < 20; round += 1) {
          await latest.signal(resumeSignal, { actor: 'ann', reason: '' });
          await latest.signal(pauseSignal, { actor: 'ann', reason: '' });
        }
        await eventually(
          'all is written down',
          async () => world.steered.length,
          (steered) => steered >= 190,
        );
        await latest.signal(resumeSignal, { actor: 'ann', reason: '' });
        await bench.env.sleep('200 days');
        await latest.signal(abortSignal, { actor: 'ann', reason: 'enough' });
        expect(await handle.result()).toMatchObject({ state: 'aborted' });
      },
    );
    expect(counts.length).toBeGreaterThan(2);
    expect(world.challengerShares).toEqual([5, 0]);
    expect(world.leases.size).toBe(0);
    expect(new Set(world.looks).size).toBe(world.looks.length);
  });

  it('of a rollout of many short stages', async ({ bench }) => {
    const count = 45;
    const steps = Array.from({ length: count }, (_, index) => ({
      ...{ sharePct: (100 * (index + 1)) / count, minSeconds: 0, minRequests: 1 },
    }));
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps } });
    const counts = await live(
      bench,
      world,
      { workflow: 'rolloutModel', args: [{ model: ownModel(), version: 2 }] },
      async (handle) => {
        expect(await handle.result()).toMatchObject({ state: 'completed' });
      },
    );
    expect(counts.length).toBeGreaterThan(1);
    expect(world.challengerShares).toHaveLength(count);
  });

  it('of a rollout that waits for its lease, and goes back to a champion that no gateway serves, while people talk to it', async ({
    bench,
  }) => {
    const world = new FakeWorld();
    world.verdicts = ['fail'];
    const { takeRolloutLease, waitUntilAcknowledged } = world.remote;
    const refuse = await refusedFor(bench, lifeMs);
    const acknowledge = await refusedFor(bench, 2 * lifeMs);
    world.remote.takeRolloutLease = async (asked) => (await refuse(), takeRolloutLease(asked));
    world.remote.waitUntilAcknowledged = async (asked) => (await acknowledge(), waitUntilAcknowledged(asked));
    const counts = await live(
      bench,
      world,
      { workflow: 'rolloutModel', args: [{ model: ownModel(), version: 2 }] },
      async (handle) => {
        const latest = bench.client.workflow.getHandle(handle.workflowId);
        const wrong = () => latest.signal(resumeSignal, { actor: 'otto', reason: '' });
        await flood(180, wrong);
        await eventually(
          'all is written down',
          async () => world.steered.length,
          (steered) => steered === 180,
        );
        await bench.env.sleep('410 days');
        await eventually(
          'it goes back',
          async () => world.challengerShares,
          (shares) => shares.at(-1) === 0,
        );
        await flood(180, wrong);
        await eventually(
          'all is written down',
          async () => world.steered.length,
          (steered) => steered === 360,
        );
        expect(await handle.result()).toMatchObject({ state: 'rolled-back', reason: 'fail.' });
      },
    );
    expect(counts.length).toBeGreaterThan(1);
    expect(world.challengerShares).toEqual([5, 0]);
    expect(world.steered.every(({ accepted }) => !accepted)).toBe(true);
    expect(world.leases.size).toBe(0);
  });

  it('of a review that looks as often as it can for labels that never come', async ({ bench }) => {
    const world = new FakeWorld();
    const lateLabels = { metric: { metric: 'quality', loss: 'error', margin: 0.1, harm: 0.2 }, lookEveryHours: least };
    const policyOf = (giveUpAfterHours: number) =>
      rolloutPolicySchema.safeParse({ strategy: 'blue-green', lateLabels: { ...lateLabels, giveUpAfterHours } });
    expect([policyOf(9600).success, policyOf(9601).success]).toEqual([true, false]);
    world.review = { lookEveryMs: least * 3_600_000, giveUpAfterMs: 9600 * 3_600_000, onFail: 'rollback' };
    const counts = await live(
      bench,
      world,
      { workflow: 'reviewRollout', args: [{ rolloutId: 'r' }] },
      async (handle) => {
        expect(await handle.result()).toMatchObject({ verdict: 'no-data' });
        const ended = await bench.client.workflow.getHandle(handle.workflowId).describe();
        const { startTime } = await bench.client.workflow
          .getHandle(handle.workflowId, handle.firstExecutionRunId)
          .describe();
        expect(((ended.closeTime?.getTime() ?? 0) - startTime.getTime()) / dayMs).toBeCloseTo(400, 1);
      },
    );
    expect(counts.length).toBeGreaterThan(1);
    expect(world.lastWords).toHaveLength(1);
  });

  it('of a rollback whose gateways do not acknowledge', async ({ bench }) => {
    const world = new FakeWorld();
    world.routes.push(wholeRoute(2, 2, 'version 2'));
    const { waitUntilAcknowledged } = world.remote;
    const refuse = await refusedFor(bench, lifeMs);
    world.remote.waitUntilAcknowledged = async (asked) => (await refuse(), waitUntilAcknowledged(asked));
    const input = { model: ownModel(), actor: 'ann', reason: 'complaints' };
    const counts = await live(bench, world, { workflow: 'rollbackModel', args: [input] }, (handle) => handle.result());
    expect(counts).toHaveLength(1);
    expect(world.probed).toEqual([1]);
  });

  it('of giving a share back that fails each time', async ({ bench }) => {
    const world = new FakeWorld();
    world.routes.push(wholeRoute(2, 2, 'version 2'));
    world.givingBack = { ...world.givingBack, model: ownModel() };
    const { planRollback } = world.remote;
    // A run carries over nothing but its start. Of its first ten days, of which each run is like the next, it plays
    // none.
    const startedMs = (await bench.env.currentTimeMs()) - 10 * dayMs;
    let tries = 0;
    world.remote.planRollback = async (asked) => {
      tries += 1;
      if ((await bench.env.currentTimeMs()) < startedMs + lifeMs)
        throw new PerdureError('not-found', 'no version to go back to');
      return planRollback(asked);
    };
    const args = [{ rolloutId: 'r' }, { startedMs }];
    const counts = await live(bench, world, { workflow: 'giveShareBack', args }, (handle) => handle.result());
    expect(counts.length).toBeGreaterThan(1);
    expect(tries).toBeGreaterThan(60);
    expect(tries).toBeLessThan(100);
    expect(world.closedUnwatched).toHaveLength(1);
  });

  it('of the reconciler, some of whose watches find all that they may tell', async ({ bench }) => {
    const world = new FakeWorld();
    const share = { rolloutId: 'r', environment: 'production', why: 'its workflow was terminated' } as const;
    const unwatched = Array.from({ length: 50 }, () => ({ ...share, model: ownModel() }));
    const full = { closed: Array.from({ length: 50 }, (_, index) => `run ${index}`), unwatched };
    world.givingBack = { ...world.givingBack, to: null, note: 'it had no traffic share' };
    world.found.push(...Array.from({ length: 100 }, (_, watch) => (watch % 60 === 50 ? full : nothing)));
    const counts = await liveFor(bench, world, 'reconcile', async () => {
      await bench.env.sleep('10 minutes');
      return world.found.length === 0;
    });
    expect(counts.length).toBeGreaterThan(1);
    expect(world.closedUnwatched).toHaveLength(50);
  });

  it('of the retention, which never comes to the end of what is to be removed', async ({ bench }) => {
    const world = new FakeWorld();
    const remove = async () => ({ removed: { rows: 1 }, more: true });
    Object.assign(world.remote, { removeOldRows: remove, removeOldLogs: remove, removeSupersededFiles: remove });
    const counts = await liveFor(bench, world, 'retain', async () => {
      await bench.env.sleep('10 minutes');
      return world.rollUps > 70;
    });
    expect(counts.length).toBeGreaterThan(1);
  });

  it('of the compaction, whose search finds all that it may find after a day of nothing', async ({ bench }) => {
    const world = new FakeWorld();
    const day = (index: number) => ({ environment: 'production', model: ownModel(), day: `2026-01-${index}` }) as const;
    const days = Array.from({ length: 60 }, (_, at) => day(at));
    // A search whose answer is lost is made again.
    let searches = 0;
    world.remote.findDaysToCompact = async () => {
      const found = (searches += 1) > 23 && world.compacted.length === 0;
      return { days: found ? days : [], more: false };
    };
    const { compactDay } = world.remote;
    world.remote.compactDay = async (asked) => ({ ...(await compactDay(asked)), more: true });
    await liveFor(bench, world, 'compactLogs', async () => {
      await bench.env.sleep('1 hour');
      return world.compacted.length >= 240;
    });
    expect(new Set(world.compacted.map(({ model }) => model)).size).toBe(60);
  });
});
