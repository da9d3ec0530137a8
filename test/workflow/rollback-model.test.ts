import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PerdureError } from '../../domain/errors.js';
import { workflowIds } from '../../domain/ids.js';
import type { RollbackRequest } from '../../domain/requests.js';
import type { rollbackModel } from '../../workflows/rollback-model.js';
import type { rolloutModel } from '../../workflows/rollout-model.js';
import { createBench, eventually, type Bench } from './bench.js';
import { FakeWorld, wholeRoute } from './fakes.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
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
  const world = new FakeWorld();
  world.champion = versions.at(-1) ?? null;
  world.routes.splice(0, Infinity, ...versions.map((version, index) => wholeRoute(index + 1, version, `of version ${version}`)));
  return world;
}

describe('a rollback', () => {
  it('puts back what was served before under a new epoch, and ends after that version answered a probe', async () => {
    const world = worldServing(1, 2);
    expect(await rollback(world)).toEqual({ version: 1, epoch: 3, reason: 'complaints' });
    expect(world.routes.at(-1)).toMatchObject({ epoch: 3, split: [{ version: 1, sharePct: 100 }], reason: 'rollback by ann: complaints' });
    expect(world.probed).toEqual([1]);
    expect(world.leases.size).toBe(0);
  });

  it('goes to the version that is named', async () => {
    const world = worldServing(1, 2, 3);
    expect(await rollback(world, { to: 1 })).toMatchObject({ version: 1, epoch: 4 });
  });

  it('is not over before the restored version answers', async () => {
    const world = worldServing(1, 2);
    world.answers = () => false;
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await start(taskQueue, { model: 'flight-delay', reason: 'complaints' });
      await bench.env.sleep('10 minutes');
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
    const parse = world.local.parseRollbackRequest;
    world.local.parseRollbackRequest = async (input) => ({ ...(await parse(input)), undoes: { champion: 1 } });
    await bench.withWorkers(world, async (taskQueue) => {
      const running = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
        taskQueue,
        workflowId: workflowIds.rollout('production', model),
        args: [{ model, version: 2 }],
      });
      await bench.env.sleep('8 seconds');
      await eventually(
        'the judge looks',
        async () => world.looks.length,
        (count) => count > 0,
      );
      const handle = await start(taskQueue, { model, actor: 'ann', reason: 'complaints' });
      expect(await handle.result()).toMatchObject({ version: 1 });
      expect(await running.result()).toMatchObject({ state: 'aborted', reason: 'aborted by ann: rollback: complaints' });
    });
    expect(world.routes.at(-1)?.split).toEqual([{ version: 1, sharePct: 100 }]);
    expect(world.leases.size).toBe(0);
  });

  it('does its work when the rollout ended before it could be stopped', async () => {
    const world = worldServing(1, 2);
    const parse = world.local.parseRollbackRequest;
    world.local.parseRollbackRequest = async (input) => ({ ...(await parse(input)), undoes: { champion: 1 } });
    expect(await rollback(world, { model: `m-${randomUUID().slice(0, 8)}` })).toMatchObject({ version: 1 });
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
      cause: { type: 'input/invalid', message: expect.stringContaining('say why') },
    });
  });
});
