import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { workflowIds } from '../../domain/ids.js';
import {
  abortSignal,
  approveSignal,
  decidePromotionUpdate,
  giveWaySignal,
  pauseSignal,
  promotionStatusQuery,
  rejectSignal,
  resumeSignal,
  rolloutStatusQuery,
  steerRolloutUpdate,
} from '../../workflows/messages.js';
import { eventually, type Bench } from '../support/temporal-environment.js';
import { wholeRoute } from '../support/fakes/world-facts.js';
import { FakeWorld } from '../support/fakes/fake-world.js';

/** One way through a workflow, as it is recorded. `drive` does what people do meanwhile. */
interface Scenario {
  workflow:
    | 'trainModel'
    | 'promoteModel'
    | 'rolloutModel'
    | 'rollbackModel'
    | 'reviewRollout'
    | 'giveShareBack'
    | 'reconcile'
    | 'retain'
    | 'compactLogs';
  input: Record<string, unknown>;
  world: () => FakeWorld;
  drive?: (handle: WorkflowHandle, world: FakeWorld) => Promise<void>;
}

/** They go on for ever, until somebody cancels them. */
const endless: readonly string[] = ['reconcile', 'retain', 'compactLogs'];

const train = {
  workflow: 'trainModel',
  input: { model: 'flight-delay', cause: { kind: 'data', id: '2013-03' } },
} as const;
const promote = {
  workflow: 'promoteModel',
  input: { model: 'flight-delay', version: 2, requestedBy: 'rita' },
} as const;
const rollout = { workflow: 'rolloutModel', input: { model: 'flight-delay', version: 2 } } as const;

/** Steps of a second, so that a recording on a real server's clock takes seconds. */
const quick = {
  lookEverySeconds: 1,
  steps: [
    { sharePct: 5, minSeconds: 1, maxSeconds: 60 },
    { sharePct: 100, minSeconds: 1, maxSeconds: 60 },
  ],
};

/** A world whose policy is another than the canary. */
function worldOf(policy: Record<string, unknown>, facts: Partial<FakeWorld> = {}): FakeWorld {
  return Object.assign(new FakeWorld({ rollout: { lookEverySeconds: 1, ...policy } }), facts);
}

function world(facts: Partial<FakeWorld> = {}, promotion: Record<string, unknown> = {}): FakeWorld {
  return Object.assign(new FakeWorld({ rollout: quick, promotion }), { roles: { ann: ['approver'] } }, facts);
}

const untilWaiting = (handle: WorkflowHandle) =>
  eventually(
    'the promotion waits',
    async () => (await handle.query(promotionStatusQuery)).state,
    (state) => state === 'waiting-for-approval',
  );
const untilRollout = (handle: WorkflowHandle, state: string) =>
  eventually(
    `the rollout is ${state}`,
    async () => (await handle.query(rolloutStatusQuery))?.state,
    (seen) => seen === state,
  );
const untilLooked = (handle: WorkflowHandle) =>
  eventually(
    'the judge has looked',
    async () => (await handle.query(rolloutStatusQuery))?.lastLook,
    (look) => typeof look === 'string',
  );

/** Says something again and again, until the workflow has continued as new and all of it is written down. */
async function untilCarriedOver(handle: WorkflowHandle, say: () => Promise<void>, written: readonly unknown[]) {
  const { runId } = await handle.describe();
  for (let said = 0; (await handle.describe()).runId === runId; said += 50) {
    await Promise.all(Array.from({ length: 50 }, say));
    await eventually(
      'it is written down',
      async () => written.length,
      (count) => count >= said + 50,
    );
  }
}

/** Every scenario has a recording in `histories/`, and every recording a scenario here. */
export const scenarios: Record<string, Scenario> = {
  'train-registered': { ...train, world: () => world() },
  'train-gate-not-passed': { ...train, world: () => world({ gateVerdict: 'inconclusive' }) },
  'train-quarantined': {
    ...train,
    world: () => world({ snapshot: { outcome: 'quarantined', reason: '17 rows are duplicated' } }),
  },
  'promote-approved-by-update': {
    ...promote,
    world: () => world(),
    async drive(handle) {
      await untilWaiting(handle);
      await handle.executeUpdate(decidePromotionUpdate, {
        args: [{ decision: 'approve', actor: 'rita', comment: 'refused: who asked cannot approve' }],
      });
      await handle.executeUpdate(decidePromotionUpdate, { args: [{ decision: 'approve', actor: 'ann', comment: '' }] });
    },
  },
  'promote-approved-by-signal': {
    ...promote,
    world: () => world(),
    async drive(handle) {
      await untilWaiting(handle);
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
    },
  },
  'promote-rejected': {
    ...promote,
    world: () => world(),
    async drive(handle) {
      await untilWaiting(handle);
      await handle.signal(rejectSignal, { actor: 'ann', comment: '' });
    },
  },
  // An hour has 3,600 seconds: a reminder each second, the end after three.
  'promote-expired': { ...promote, world: () => world({}, { remindAfterHours: 1 / 3600, expireAfterHours: 3 / 3600 }) },
  // Escalated after a second, so that the head of the team may approve.
  'promote-escalated': {
    ...promote,
    world: () => world({ roles: { hal: ['head'] } }, { escalateAfterHours: 1 / 3600, escalateTo: ['head'] }),
    async drive(handle) {
      await untilWaiting(handle);
      await eventually(
        'the promotion is escalated',
        async () => (await handle.query(promotionStatusQuery)).escalatedAt,
        (at) => at !== null,
      );
      await handle.executeUpdate(decidePromotionUpdate, { args: [{ decision: 'approve', actor: 'hal', comment: '' }] });
    },
  },
  // Otto may not decide: so often that the promotion continues as new.
  'promote-carried-over': {
    ...promote,
    world: () => world(),
    async drive(handle, { rulings }) {
      await untilWaiting(handle);
      await untilCarriedOver(handle, () => handle.signal(approveSignal, { actor: 'otto', comment: '' }), rulings);
      await handle.executeUpdate(decidePromotionUpdate, {
        args: [{ decision: 'approve', actor: 'ann', comment: '' }],
      });
    },
  },
  'promote-superseded': {
    ...promote,
    world: () => world({ newerCandidate: 3 }),
    async drive(handle) {
      await untilWaiting(handle);
      await handle.signal(giveWaySignal);
    },
  },
  'rollout-steered': {
    ...rollout,
    world: () => world({ verdicts: ['no-data'] }),
    async drive(handle) {
      await untilLooked(handle);
      for (const command of ['resume', 'pause', 'advance', 'abort'] as const)
        await handle.executeUpdate(steerRolloutUpdate, { args: [{ command, actor: 'ann', reason: 'seen enough' }] });
    },
  },
  'rollout-carried-over': {
    ...rollout,
    world: () => world({ verdicts: ['no-data'] }),
    async drive(handle, { steered, verdicts }) {
      await untilLooked(handle);
      await handle.signal(pauseSignal, { actor: 'ann', reason: 'lunch' });
      await untilCarriedOver(handle, () => handle.signal(pauseSignal, { actor: 'ann', reason: 'lunch' }), steered);
      verdicts.push('pass');
      await handle.signal(resumeSignal, { actor: 'ann' });
    },
  },
  'give-share-back': {
    workflow: 'giveShareBack',
    input: { rolloutId: 'r' },
    world() {
      const serving = world();
      serving.routes.push(wholeRoute(2, 2, 'version 2'));
      return serving;
    },
  },
  reconcile: {
    workflow: 'reconcile',
    input: {},
    world() {
      const share = {
        rolloutId: 'r',
        model: 'flight-delay',
        environment: 'production',
        why: 'it was terminated',
      } as const;
      const found = world();
      found.found.push({ closed: ['run train/m/1: it was terminated'], unwatched: [share] });
      found.givingBack = { ...found.givingBack, to: null, note: 'it had no traffic share' };
      return found;
    },
    async drive(handle, { closedUnwatched }) {
      await eventually(
        'the share is closed',
        async () => closedUnwatched.length,
        (count) => count === 1,
      );
      await handle.cancel();
    },
  },
  // Something is left after the first removal, and a later one fails.
  retain: {
    workflow: 'retain',
    input: {},
    world() {
      const kept = world();
      const away = ApplicationFailure.nonRetryable('the object store is away');
      kept.removals.push({ removed: { 'serving windows': 20_000 }, more: true }, { removed: {}, more: false }, away);
      return kept;
    },
    async drive(handle, kept) {
      await eventually(
        'everything has had its turn',
        async () => kept.removed,
        (count) => count === 4,
      );
      await handle.cancel();
    },
  },
  'compact-logs': {
    workflow: 'compactLogs',
    input: {},
    world() {
      const shipped = world();
      const day = { model: 'flight-delay', day: '2026-01-01' };
      const { compactDay } = shipped.remote;
      shipped.remote.compactDay = (asked) => {
        if (asked.environment === 'staging') throw ApplicationFailure.nonRetryable('the object store is away');
        return compactDay(asked);
      };
      const environments = ['staging', 'production', null] as const;
      shipped.daysToCompact.push(
        environments.map((environment) => ({ ...day, environment })),
        [],
      );
      return shipped;
    },
    async drive(handle, { compacted }) {
      await eventually(
        'the other days are compacted',
        async () => compacted.length,
        (count) => count === 2,
      );
      await handle.cancel();
    },
  },
  'rollout-completed': { ...rollout, world: () => world() },
  'rollout-rolled-back': { ...rollout, world: () => world({ verdicts: ['pass', 'fail'] }) },
  'rollout-paused-resumed': {
    ...rollout,
    world: () => world({ verdicts: ['no-data'] }),
    async drive(handle, { verdicts }) {
      await untilLooked(handle);
      await handle.signal(pauseSignal, { actor: 'ann', reason: 'lunch' });
      await untilRollout(handle, 'paused');
      verdicts.push('pass');
      await handle.signal(resumeSignal, { actor: 'ann' });
    },
  },
  'rollout-aborted': {
    ...rollout,
    world: () => world({ verdicts: ['no-data'] }),
    async drive(handle) {
      await untilLooked(handle);
      await handle.signal(abortSignal, { actor: 'ann', reason: 'complaints' });
    },
  },
  'rollout-blue-green': { ...rollout, world: () => worldOf({ strategy: 'blue-green', bake: { minSeconds: 1 } }) },
  'rollout-shadow': {
    ...rollout,
    input: { ...rollout.input, alsoShadow: [7] },
    world: () => worldOf({ strategy: 'shadow', minSeconds: 1, steps: [{ sharePct: 100, minSeconds: 1 }] }),
  },
  'rollout-ab-no-winner': {
    ...rollout,
    world: () =>
      worldOf(
        { strategy: 'ab', minSeconds: 0, outcome: { metric: 'outcome', direction: 'higher-is-better' } },
        { verdicts: ['inconclusive'], exhausted: true },
      ),
  },
  'rollout-direct': { ...rollout, world: () => worldOf({ strategy: 'direct', reason: 'the champion leaks memory' }) },
  // A day is a second here.
  'review-rolled-back': {
    workflow: 'reviewRollout',
    input: { rolloutId: 'r' },
    world() {
      const serving = world({
        lateVerdicts: ['no-data', 'inconclusive', 'fail'],
        review: { lookEveryMs: 1000, giveUpAfterMs: 30_000, onFail: 'rollback' },
      });
      serving.routes.push(wholeRoute(2, 2, 'version 2'));
      return serving;
    },
  },
  rollback: {
    workflow: 'rollbackModel',
    input: { model: 'flight-delay', actor: 'ann', reason: 'complaints' },
    world() {
      const serving = world({ champion: 2 });
      serving.routes.push(wholeRoute(2, 2, 'version 2'));
      return serving;
    },
  },
};

/** Plays a scenario on a bench and gives the workflow that has ended; of a chain, its last run. */
export async function play(bench: Bench, { workflow, input, world: make, drive }: Scenario): Promise<WorkflowHandle> {
  const facts = make();
  return bench.withWorkers(facts, async (taskQueue) => {
    const workflowId =
      workflow === 'rolloutModel' ? workflowIds.rollout('production', 'flight-delay') : `${workflow}-${randomUUID()}`;
    const handle = await bench.client.workflow.start(workflow, { taskQueue, workflowId, args: [input] });
    const latest = bench.client.workflow.getHandle(workflowId);
    await drive?.(latest, facts);
    await handle.result().catch((error: unknown) => {
      if (!endless.includes(workflow)) throw error;
    });
    return latest;
  });
}
