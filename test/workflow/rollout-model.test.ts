import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { rolloutModel } from '../../workflows/rollout/rollout-model.js';
import { abortSignal, advanceSignal, pauseSignal, resumeSignal, rolloutStatusQuery } from '../../workflows/messages.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { wholeRoute } from '../support/fakes/world-facts.js';
import { FakeWorld } from '../support/fakes/fake-world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

const request = { model: 'flight-delay', version: 2, environment: 'production' } as const;

type Carried = NonNullable<Parameters<typeof rolloutModel>[1]>;
type Handle = Awaited<ReturnType<typeof bench.client.workflow.start<typeof rolloutModel>>>;

function rollout<T>(
  world: FakeWorld,
  work: (handle: Handle, restart: () => Promise<void>) => Promise<T>,
  { cached = true, carried }: { cached?: boolean; carried?: Carried } = {},
): Promise<T> {
  return bench.withWorkers(
    world,
    async (taskQueue, restart) => {
      const args: Parameters<typeof rolloutModel> = carried ? [request, carried] : [request];
      return work(
        await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
          taskQueue,
          workflowId: `rollout-${randomUUID()}`,
          args,
        }),
        restart,
      );
    },
    { cached },
  );
}

const untilState = (handle: Handle, state: string) =>
  eventually(
    `rollout becomes ${state}`,
    async () => (await handle.query(rolloutStatusQuery))?.state,
    (seen) => seen === state,
  );

describe('a rollout', () => {
  it('gives the challenger 5, 25 and 100 percent, each acknowledged, and ends with a probe of the challenger', async () => {
    const world = new FakeWorld();
    const result = await rollout(world, (handle) => handle.result());
    expect(result.state).toBe('completed');
    expect(world.challengerShares).toEqual([5, 25, 100]);
    expect(world.probed).toEqual([2]);
    expect(world.leases.size).toBe(0);
  });

  it('goes back to the champion when the judge says fail, and only then is over', async () => {
    const world = new FakeWorld();
    world.verdicts = ['pass', 'pass', 'fail'];
    const result = await rollout(world, (handle) => handle.result());
    expect(result.state).toBe('rolled-back');
    expect(world.challengerShares).toEqual([5, 25, 0]);
    expect(world.probed).toEqual([1]);
  });

  it('never advances on no data: it pauses at the end of the step', async () => {
    const world = new FakeWorld();
    world.verdicts = ['no-data'];
    await rollout(world, async (handle) => {
      await bench.env.sleep('5 minutes');
      await untilState(handle, 'paused');
      expect(world.challengerShares).toEqual([5]);
      await handle.signal(abortSignal, { actor: 'ann', reason: 'no traffic' });
      expect((await handle.result()).state).toBe('aborted');
    });
    expect(world.challengerShares).toEqual([5, 0]);
  });

  it('asks a person when a step ends inconclusive, and goes on when told to advance', async () => {
    const world = new FakeWorld();
    world.verdicts = [...Array.from({ length: 13 }, () => 'inconclusive' as const), 'pass'];
    await rollout(world, async (handle) => {
      await bench.env.sleep('2 minutes');
      await untilState(handle, 'paused');
      await handle.signal(advanceSignal, { actor: 'ann' });
      expect((await handle.result()).state).toBe('completed');
    });
    expect(world.challengerShares).toEqual([5, 25, 100]);
  });

  it('goes back by itself on inconclusive where the policy says so', async () => {
    const world = new FakeWorld({ rollout: { onInconclusive: 'rollback' } });
    world.verdicts = ['inconclusive'];
    expect((await rollout(world, (handle) => handle.result())).state).toBe('rolled-back');
  });

  it('stays where it is while paused, a worker restart included, and goes on when resumed', async () => {
    const world = new FakeWorld();
    world.verdicts = ['no-data'];
    await rollout(
      world,
      async (handle, restart) => {
        await eventually(
          'the first step is written',
          async () => world.challengerShares.length,
          (count) => count === 1,
        );
        await handle.signal(pauseSignal, { actor: 'ann', reason: 'lunch' });
        await untilState(handle, 'paused');
        await restart();
        await bench.env.sleep('1 hour');
        expect(world.challengerShares).toEqual([5]);
        world.verdicts = ['pass'];
        await handle.signal(resumeSignal);
        expect((await handle.result()).state).toBe('completed');
      },
      { cached: false },
    );
  });

  it('goes back from a challenger that refuses its probe, and ends though the champion refuses its own', async () => {
    const world = new FakeWorld();
    world.refuses = (version) => `version ${version} said 400`;
    await rollout(world, async (handle) => {
      const { state, reason } = await handle.result();
      expect(state).toBe('rolled-back');
      expect(reason).toBe(
        'version 2 refused its probe: version 2 said 400; version 1 serves again and refused its probe: ' +
          'version 1 said 400',
      );
    });
    expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
    expect(world.leases.size).toBe(0);
  });

  it('goes back when a gateway does not acknowledge a step', async () => {
    const world = new FakeWorld();
    world.acknowledges = (epoch) => epoch < 3;
    const result = await rollout(world, (handle) => handle.result());
    expect(result).toMatchObject({ state: 'rolled-back', reason: expect.stringContaining('g1 (at epoch 1)') });
    expect(world.challengerShares).toEqual([5, 25, 0]);
  });

  it('puts the first version of an empty environment in whole, with nobody to judge it against', async () => {
    const world = new FakeWorld();
    world.champion = null;
    world.routes.length = 0;
    const result = await rollout(world, (handle) => handle.result());
    expect(result.state).toBe('completed');
    expect(world.routes.map((route) => route.split)).toEqual([[{ version: 2, sharePct: 100 }]]);
  });

  it('goes on after continue-as-new where it was: same lease, same step, no route written twice', async () => {
    const world = new FakeWorld();
    const lease = {
      name: 'rollout/production/flight-delay',
      holder: 'rollout/production/flight-delay|the-first-run',
      token: 1,
    };
    world.leases.set(lease.name, lease.holder);
    world.routes.push({
      ...wholeRoute(2, 1, 'of the run before'),
      split: [
        { version: 1, sharePct: 75 },
        { version: 2, sharePct: 25 },
      ],
    });
    const carried = { lease, step: 1, epoch: 2, look: 40, stepElapsedMs: 8000, lastLook: 'inconclusive.' };
    const result = await rollout(world, (handle) => handle.result(), { carried });
    expect(result.state).toBe('completed');
    expect(world.challengerShares).toEqual([25, 100]);
    // 8 s of the step had passed: one look of 5 s more ends it. The looks go on counting, so that none is taken for one
    // recorded before.
    expect(world.looks.slice(0, 2)).toEqual([41, 42]);
    expect(world.leases.size).toBe(0);
  });
});
