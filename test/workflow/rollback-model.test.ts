import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PerdureError } from '../../domain/errors.js';
import { workflowIds } from '../../domain/ids.js';
import type { RollbackRequest } from '../../domain/workflow-inputs.js';
import { abortSignal, pauseSignal, rolloutStatusQuery } from '../../workflows/messages.js';
import type { rollbackModel } from '../../workflows/rollout/rollback-model.js';
import type { rolloutModel } from '../../workflows/rollout/rollout-model.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { wholeRoute } from '../support/fakes/world-facts.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { acknowledgedAt, probedAt } from '../support/fakes/gateways.js';

// The server that the product runs on: see abort-rollout.test.ts.
let bench: Bench;
beforeAll(async () => {
  bench = await createBench({ time: 'real' });
});
afterAll(() => bench.close());

const start = (taskQueue: string, request: RollbackRequest) =>
  bench.client.workflow.start<typeof rollbackModel>('rollbackModel', {
    taskQueue,
    workflowId: `rollback-${randomUUID()}`,
    args: [request],
  });

const rollback = (world: FakeWorld, request: Partial<RollbackRequest> = {}) =>
  bench.withWorkers(world, async (taskQueue) =>
    (await start(taskQueue, { model: 'flight-delay', actor: 'ann', reason: 'complaints', ...request })).result(),
  );

function worldServing(...versions: number[]): FakeWorld {
  const world = new FakeWorld({ rollout: { lookEverySeconds: 1 } });
  world.champion = versions.at(-1) ?? null;
  world.routes.splice(
    0,
    Infinity,
    ...versions.map((version, index) => wholeRoute(index + 1, version, `of version ${version}`)),
  );
  return world;
}

const startRollout = (taskQueue: string, model: string, version = 2) =>
  bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
    taskQueue,
    workflowId: workflowIds.rollout('production', model),
    args: [{ model, version }],
  });

/** What a rollback finds in the facts while that rollout runs. */
function undoing(world: FakeWorld, model: string): void {
  const parse = world.local.parseRollbackRequest;
  world.local.parseRollbackRequest = async (input) => ({
    ...(await parse(input)),
    undoes: { champion: 1, workflowId: workflowIds.rollout('production', model) },
  });
}

describe('a rollback', () => {
  it('puts back what was served before under a new epoch, and ends after that version answered a probe', async () => {
    const world = worldServing(1, 2);
    expect(await rollback(world)).toEqual({
      version: 1,
      epoch: 3,
      reason: 'complaints',
      acknowledged: [{ gateway: 'g1', epoch: 3, at: acknowledgedAt }],
      acknowledgedAt,
      probed: [{ gateway: 'g1', version: 1, tookMs: 3, at: probedAt }],
      probedAt,
    });
    expect(world.routes.at(-1)).toMatchObject({
      epoch: 3,
      split: [{ version: 1, sharePct: 100 }],
      reason: 'rollback by ann: complaints',
    });
    expect(world.probed).toEqual([1]);
    expect(world.leases.size).toBe(0);
  });

  it('goes to the version that is named', async () => {
    const world = worldServing(1, 2, 3);
    expect(await rollback(world, { to: 1 })).toMatchObject({ version: 1, epoch: 4 });
  });

  it('ends though the restored version refuses its probe, and says what it said', async () => {
    const world = worldServing(1, 2);
    world.refuses = () => 'gateway g1 answered 400 no';
    expect(await rollback(world)).toMatchObject({
      version: 1,
      epoch: 3,
      probed: [],
      probeRefused: 'gateway g1 answered 400 no',
    });
    expect(world.leases.size).toBe(0);
  });

  it('is not over before the restored version answers', async () => {
    const world = worldServing(1, 2);
    let asked = 0;
    world.answers = () => ++asked < 1;
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await start(taskQueue, { model: 'flight-delay', reason: 'complaints' });
      await eventually(
        'it is asked again and again',
        async () => asked,
        (count) => count > 2,
      );
      expect((await handle.describe()).status.name).toBe('RUNNING');
      world.answers = () => true;
      expect(await handle.result()).toMatchObject({ version: 1 });
    });
    expect(world.routes).toHaveLength(3);
  });

  it('stops the rollout that is running, and goes back to its champion', async () => {
    const world = worldServing(1);
    world.verdicts = ['no-data'];
    const model = `m-${randomUUID().slice(0, 8)}`;
    undoing(world, model);
    await bench.withWorkers(world, async (taskQueue) => {
      const running = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
        taskQueue,
        workflowId: workflowIds.rollout('production', model),
        args: [{ model, version: 2 }],
      });
      await eventually(
        'the judge looks',
        async () => world.looks.length,
        (count) => count > 0,
      );
      const handle = await start(taskQueue, { model, actor: 'ann', reason: 'complaints' });
      expect(await handle.result()).toMatchObject({ version: 1 });
      expect(await running.result()).toMatchObject({
        state: 'aborted',
        reason: 'aborted by ann: rollback: complaints',
      });
    });
    expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
    expect(world.leases.size).toBe(0);
  });

  it('does its work when the rollout ended before it could be stopped', async () => {
    const world = worldServing(1, 2);
    const model = `m-${randomUUID().slice(0, 8)}`;
    undoing(world, model);
    expect(await rollback(world, { model })).toMatchObject({ version: 1 });
  });

  it('asked for twice at once goes back once, and both say what was proven', async () => {
    const world = worldServing(1, 2, 3);
    const { planRollback } = world.remote;
    let bothAsked = () => {};
    const asked = new Promise<void>((resolve) => (bothAsked = resolve));
    world.remote.planRollback = async (question) => {
      await asked;
      return planRollback(question);
    };
    const parse = world.local.parseRollbackRequest;
    let parsed = 0;
    world.local.parseRollbackRequest = async (input) => {
      const request = await parse(input);
      if (++parsed === 2) bothAsked();
      return request;
    };
    await bench.withWorkers(world, async (taskQueue) => {
      const both = await Promise.all(
        ['ann', 'ben'].map((actor) => start(taskQueue, { model: 'flight-delay', actor, reason: 'complaints' })),
      );
      await eventually(
        'the first is done',
        async () => world.probed.length,
        (count) => count === 1,
      );
      const results = await Promise.all(both.map((handle) => handle.result()));
      expect(results.map(({ version, epoch }) => ({ version, epoch }))).toEqual([
        { version: 2, epoch: 4 },
        { version: 2, epoch: 4 },
      ]);
    });
    expect(world.routes).toHaveLength(4);
    expect(world.probed).toEqual([2, 2]);
    expect(world.leases.size).toBe(0);
  });

  it('reaches a rollout that waits for a person, and ends it', async () => {
    const world = worldServing(1);
    world.verdicts = ['inconclusive'];
    const model = `m-${randomUUID().slice(0, 8)}`;
    undoing(world, model);
    await bench.withWorkers(world, async (taskQueue) => {
      const running = await startRollout(taskQueue, model);
      await running.signal(pauseSignal, { actor: 'ann' });
      await eventually(
        'the rollout is paused',
        async () => (await running.query(rolloutStatusQuery))?.state,
        (state) => state === 'paused',
      );
      expect(await (await start(taskQueue, { model, actor: 'ann', reason: 'complaints' })).result()).toMatchObject({
        version: 1,
      });
      expect(await running.result()).toMatchObject({ state: 'aborted' });
    });
    expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
  });

  it('overtakes a rollout whose own way back is stuck, which then ends and writes nothing more', async () => {
    const world = worldServing(1, 2);
    world.champion = 2;
    world.verdicts = ['no-data'];
    world.answers = (version) => version === 1;
    const model = `m-${randomUUID().slice(0, 8)}`;
    await bench.withWorkers(world, async (taskQueue) => {
      const running = await startRollout(taskQueue, model, 3);
      await running.signal(abortSignal, { actor: 'ann' });
      await eventually(
        'the rollout has put its champion back, which does not answer',
        async () => world.routes.at(-1)?.reason,
        (reason) => reason?.startsWith('back from') === true,
      );
      world.waitedLong = true;
      expect(
        await (await start(taskQueue, { model, to: 1, actor: 'ann', reason: 'complaints' })).result(),
      ).toMatchObject({ version: 1 });
      await running.result();
    });
    expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
    expect(world.probed).toEqual([1]);
  });

  it('that was overtaken says so, and does not claim what is not served', async () => {
    const world = worldServing(1, 2, 3);
    world.remote.waitUntilAcknowledged = async ({ epoch }) => {
      world.routes.push(wholeRoute(epoch + 1, 1, 'another'));
      return { all: true, gateways: 'g1', missing: '', serving: [] };
    };
    await expect(rollback(world)).rejects.toMatchObject({
      cause: { type: 'state/conflict', message: expect.stringContaining('epoch 5') },
    });
    expect(world.leases.size).toBe(0);
  });

  it('fails with the reason when there is nothing to go back to, writes no route and gives its lease back', async () => {
    const world = worldServing(1);
    world.remote.planRollback = async () => {
      throw new PerdureError('not-found', 'flight-delay has had one version only');
    };
    await expect(rollback(world)).rejects.toMatchObject({ cause: { cause: { type: 'not-found' } } });
    expect(world.routes).toHaveLength(1);
    expect(world.leases.size).toBe(0);
  });

  it('must say why', async () => {
    await expect(rollback(worldServing(1, 2), { reason: ' ' })).rejects.toMatchObject({
      cause: { type: 'input/invalid', message: expect.stringContaining('give a short reason') },
    });
  });
});
