import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workflowIds } from '../../domain/ids.js';
import { rolloutPolicySchema } from '../../domain/rollout/rollout-policy.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import { stagesOf } from '../../domain/rollout/strategy-stages.js';
import {
  abortSignal,
  decidePromotionUpdate,
  pauseSignal,
  rolloutStatusQuery,
  steerRolloutUpdate,
} from '../../workflows/messages.js';
import type { rollbackModel } from '../../workflows/rollout/rollback-model.js';
import type { rolloutModel } from '../../workflows/rollout/rollout-model.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { promotion, untilWaiting } from './promotion-bench.js';

// The server that the product runs on: the one that skips over time hangs when a cancellation meets an activity that
// has just completed.
let bench: Bench;
beforeAll(async () => {
  bench = await createBench({ time: 'real' });
});
afterAll(() => bench.close());

const bounds = { minRequests: 1, minSeconds: 0, maxSeconds: 3600 };
const policies = {
  canary: { strategy: 'canary', steps: [5, 25, 100].map((sharePct) => ({ sharePct, ...bounds })) },
  'blue-green': { strategy: 'blue-green', bake: bounds },
  shadow: { strategy: 'shadow', ...bounds, steps: [{ sharePct: 100, ...bounds }] },
  ab: { strategy: 'ab', outcome: { metric: 'errorShare' }, minSeconds: 0 },
  direct: { strategy: 'direct', reason: 'known to be good' },
} as const;
type Strategy = keyof typeof policies;

/** A world that stands still somewhere until `arrived` says that the rollout came there. */
interface Phase {
  name: string;
  world: FakeWorld;
  stage: number;
  arrived: (handle: Handle) => Promise<unknown>;
  /** Lets the world go on, once somebody aborted. */
  goOn: () => void;
}
type Handle = Awaited<ReturnType<typeof bench.client.workflow.start<typeof rolloutModel>>>;

const startRollout = (taskQueue: string) =>
  bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
    taskQueue,
    workflowId: `rollout-${randomUUID()}`,
    args: [{ model: 'flight-delay', version: 2 }],
  });

const until = (label: string, holds: () => boolean) => eventually(label, async () => holds(), Boolean);

/** Heartbeats, and ends when it is cancelled, as the activities do that wait for gateways. */
async function heldLikeAWait(gone: Promise<void>): Promise<void> {
  const beating = setInterval(() => Context.current().heartbeat(), 100);
  await Promise.race([gone, Context.current().cancelled]).finally(() => clearInterval(beating));
}

/** Holds one activity from the call that `when` names on. */
function hold<Name extends 'writeRoute' | 'waitForAcknowledgement' | 'lookAtRollout' | 'probe'>(
  world: FakeWorld,
  name: Name,
  when: (input: Parameters<FakeWorld['remote'][Name]>[0]) => boolean,
) {
  let letGo: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  let arrived = false;
  const real = world.remote[name] as (input: Parameters<FakeWorld['remote'][Name]>[0]) => Promise<unknown>;
  const held = async (input: Parameters<FakeWorld['remote'][Name]>[0]) => {
    if (when(input)) {
      arrived = true;
      await heldLikeAWait(gone);
    }
    return real(input);
  };
  Object.assign(world.remote, { [name]: held });
  return { arrived: () => until(`${name} is held`, () => arrived), goOn: letGo };
}

function worldOf(strategy: Strategy): FakeWorld {
  const world = new FakeWorld();
  world.rolloutPolicy = rolloutPolicySchema.parse({ lookEverySeconds: 1, ...policies[strategy] });
  world.verdicts = ['pass'];
  return world;
}

function phasesOf(strategy: Strategy): (() => Phase)[] {
  const stages: RolloutStage[] = stagesOf(worldOf(strategy).rolloutPolicy, { hasChampion: true });
  const at = (name: string, stage: number, make: (world: FakeWorld) => Pick<Phase, 'arrived' | 'goOn'>) => () => {
    const world = worldOf(strategy);
    return { name, world, stage, ...make(world) };
  };
  const ofStages = stages.flatMap((stage, index) => {
    const isIts = (target: object) => 'stage' in target && target.stage === index;
    const label = `stage ${index + 1}, ${stage.name}`;
    const watched = [
      at(`${label}: while it is watched`, index, (world) =>
        hold(world, 'lookAtRollout', (asked) => asked.stage === index),
      ),
      at(`${label}: while it is paused`, index, (world) => {
        const look = hold(world, 'lookAtRollout', (asked) => asked.stage === index);
        const arrived = async (handle: Handle) => {
          await look.arrived();
          await handle.signal(pauseSignal, { actor: 'ann', reason: 'lunch' });
          look.goOn();
          await eventually(
            'it is paused',
            () => handle.query(rolloutStatusQuery),
            (status) => status?.state === 'paused',
          );
        };
        return { arrived, goOn: () => undefined };
      }),
    ];
    return [
      at(`${label}: while its route is written`, index, (world) =>
        hold(world, 'writeRoute', ({ target }) => isIts(target)),
      ),
      at(`${label}: while gateways are waited for`, index, (world) =>
        hold(world, 'waitForAcknowledgement', ({ epoch }) => epoch === index + 2),
      ),
      ...(stage.comparison === 'none' ? [] : watched),
    ];
  });
  const standing = stages.some(({ kind }) => kind === 'standby');
  return [
    at('before its first route, while another rollout goes on', 0, (world) => {
      world.leases.set('rollout/production/flight-delay', 'another|rollout');
      return {
        arrived: () => until('the lease is refused', () => world.refusedLeases > 0),
        goOn: () => world.leases.clear(),
      };
    }),
    ...ofStages,
    ...(standing
      ? [
          at('while the challenger that stands by is probed', 0, (world) =>
            hold(world, 'probe', ({ version }) => version === 2),
          ),
        ]
      : []),
    at('at the last probe', stages.length - 1, (world) =>
      hold(world, 'probe', ({ version }) => version === 2 && world.routes.length === stages.length + 1),
    ),
    at('at the last probe, which nobody answers', stages.length - 1, (world) => {
      let asked = 0;
      world.answers = (version) => version === 1 || world.routes.length <= stages.length || ++asked < 1;
      return { arrived: () => until('it is asked again', () => asked > 1), goOn: () => undefined };
    }),
  ];
}

describe.concurrent.each(Object.keys(policies) as Strategy[])('abort in every phase of %s', (strategy) => {
  const phases = phasesOf(strategy).map((make) => ({ make, name: make().name }));

  it('knows its phases by different names', () => {
    expect(phases.length).toBeGreaterThan(3);
    expect(new Set(phases.map(({ name }) => name)).size).toBe(phases.length);
  });

  for (const { name, make } of phases)
    it(`${name}: ends with the champion whole, acknowledged and probed`, async () => {
      const { world, arrived, goOn, stage } = make();
      const acknowledged: number[] = [];
      const wait = world.remote.waitUntilAcknowledged;
      world.remote.waitUntilAcknowledged = async (asked) => (acknowledged.push(asked.epoch), wait(asked));
      await bench.withWorkers(world, async (taskQueue) => {
        const handle = await startRollout(taskQueue);
        await arrived(handle);
        const said = { actor: 'ann', reason: 'complaints' };
        // By Update where that is answered at once, and by Signal.
        if (stage % 2 === 0) await handle.signal(abortSignal, said);
        else
          expect(
            await handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'abort', ...said }] }),
          ).toMatchObject({
            accepted: true,
          });
        goOn();
        expect(await handle.result()).toMatchObject({ state: 'aborted', reason: 'aborted by ann: complaints' });
      });
      const last = world.routes.at(-1);
      expect(last?.split).toEqual([{ version: 1, sharePct: 100 }]);
      expect(last).toMatchObject({ shadows: [], standby: [] });
      expect(acknowledged).toEqual([last?.epoch]);
      expect(world.probed.at(-1)).toBe(1);
      expect(world.leases.size).toBe(0);
    });

  // A rollback aborts by the same Signal: a moment of each stage, and the probes, stand for the others.
  for (const { name, make } of phases.filter((phase) => /gateways are waited for|probe/.test(phase.name)))
    it(`${name}: a rollback stops it and ends with the champion whole`, async () => {
      const { world, arrived, goOn } = make();
      const model = `m-${randomUUID().slice(0, 8)}`;
      const workflowId = workflowIds.rollout('production', model);
      const parse = world.local.parseRollbackRequest;
      world.local.parseRollbackRequest = async (input) => ({
        ...(await parse(input)),
        undoes: { champion: 1, workflowId },
      });
      await bench.withWorkers(world, async (taskQueue) => {
        const running = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
          taskQueue,
          workflowId,
          args: [{ model, version: 2 }],
        });
        await arrived(running);
        const rollback = await bench.client.workflow.start<typeof rollbackModel>('rollbackModel', {
          taskQueue,
          workflowId: `rollback-${randomUUID()}`,
          args: [{ model, actor: 'ann', reason: 'complaints' }],
        });
        await until('the rollback waits for its turn', () => world.refusedLeases > 0);
        goOn();
        expect(await running.result()).toMatchObject({ state: 'aborted' });
        expect(await rollback.result()).toMatchObject({ version: 1 });
      });
      expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
      expect(world.leases.size).toBe(0);
    });
});

it('ends aborted, not failed and not running for ever, when a rollback takes its lease while it goes back', async () => {
  const world = worldOf('canary');
  const look = hold(world, 'lookAtRollout', () => true);
  const back = hold(world, 'writeRoute', ({ idempotencyKey }) => idempotencyKey.endsWith('/back'));
  await bench.withWorkers(world, async (taskQueue) => {
    const handle = await startRollout(taskQueue);
    await look.arrived();
    await handle.signal(abortSignal, { actor: 'ann', reason: 'complaints' });
    look.goOn();
    await back.arrived();
    world.leases.set('rollout/production/flight-delay', 'rollback|run');
    back.goOn();
    expect(await handle.result()).toMatchObject({
      state: 'aborted',
      reason: expect.stringContaining('aborted by ann: complaints') as string,
    });
  });
  expect(world.rollouts.at(-1)).toMatchObject({ state: 'aborted' });
  expect(world.routes.every(({ key }) => !key.endsWith('/back'))).toBe(true);
});

it('goes back when its workflow is cancelled', async () => {
  const world = worldOf('canary');
  const look = hold(world, 'lookAtRollout', () => true);
  await bench.withWorkers(world, async (taskQueue) => {
    const handle = await startRollout(taskQueue);
    await look.arrived();
    await handle.cancel();
    expect((await handle.result()).state).toBe('aborted');
  });
  expect(world.challengerShares).toEqual([5, 0]);
});

it('a promotion that is cancelled while it rolls out goes back to the champion', async () => {
  const world = worldOf('canary');
  world.roles = { ann: ['approver'] };
  const look = hold(world, 'lookAtRollout', () => true);
  await promotion(bench, world, async (handle) => {
    await untilWaiting(handle);
    await handle.executeUpdate(decidePromotionUpdate, {
      args: [{ decision: 'approve', actor: 'ann', comment: 'looks fine' }],
    });
    await look.arrived();
    await handle.cancel();
    await handle.result().catch(() => undefined);
  });
  expect(world.promotionStates.at(-1)).toBe('rolled-back');
  expect(world.challengerShares.at(-1)).toBe(0);
});
