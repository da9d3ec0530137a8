import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainRequest } from '../../domain/workflow-inputs.js';
import { PerdureError } from '../../domain/errors.js';
import { promotionStatusQuery, rejectSignal } from '../../workflows/messages.js';
import type { trainModel } from '../../workflows/training/train-model.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

const start = (taskQueue: string, request: TrainRequest) =>
  bench.client.workflow.start<typeof trainModel>('trainModel', {
    taskQueue,
    workflowId: `train-${randomUUID()}`,
    args: [request],
  });

const ownModel = () => `m-${randomUUID().slice(0, 8)}`;

function train(world: FakeWorld, request: TrainRequest = { model: ownModel() }) {
  return bench.withWorkers(world, async (taskQueue) => (await start(taskQueue, request)).result());
}

describe('a training run', () => {
  it('registers a version once, and gives its lease back', async () => {
    const world = new FakeWorld();
    expect(await train(world)).toMatchObject({ outcome: 'registered', version: 2, promotion: null });
    expect(world.registrations).toBe(1);
    expect(world.watermarks).toEqual(['2013-03']);
    expect(world.leases.size).toBe(0);
  });

  it.each([
    ['no-new-data', 'nothing after 2013-03'],
    ['data-missing', 'weather of 2013-04 is not there'],
    ['quarantined', '2013-04: 17 rows of flights are duplicated'],
  ] as const)('ends early as %s with its reason, trains nothing and leaves the watermark', async (outcome, reason) => {
    const world = new FakeWorld();
    world.snapshot = { outcome, reason };
    expect(await train(world)).toMatchObject({ outcome, reason, version: null });
    expect(world.runEnds).toEqual([{ outcome, reason, watermark: null }]);
    expect(world.trained).toBe(0);
    expect(world.leases.size).toBe(0);
  });

  it('of a cross-validation trains without each fold, then on everything, and is evaluated with the folds’ models', async () => {
    const world = new FakeWorld();
    if (world.snapshot.outcome === 'taken') world.snapshot = { ...world.snapshot, folds: [0, 1, 2] };
    expect(await train(world)).toMatchObject({ outcome: 'registered' });
    expect(world.foldsTrained).toEqual([0, 1, 2]);
    expect(world.trained).toBe(1);
    expect(world.foldsEvaluated).toEqual(['0', '1', '2'].map((digit) => digit.repeat(64)));
  });

  it('finds the version that the same inputs made before, trains nothing and moves the watermark past the data', async () => {
    const world = new FakeWorld();
    world.snapshot = { outcome: 'unchanged', reason: 'as run r', version: 2, watermark: '2013-03' };
    expect(await train(world)).toMatchObject({ outcome: 'unchanged', version: 2, promotion: null });
    expect(world.runEnds).toEqual([{ outcome: 'unchanged', reason: 'as run r', watermark: '2013-03' }]);
    expect(world.trained).toBe(0);
    expect(world.leases.size).toBe(0);
  });

  it.each(['fail', 'inconclusive', 'no-data'] as const)(
    'registers nothing when a gate says %s, and moves the watermark past the data it judged',
    async (verdict) => {
      const world = new FakeWorld();
      world.gateVerdict = verdict;
      expect(await train(world)).toMatchObject({
        outcome: 'gate-not-passed',
        reason: `gates: ${verdict}`,
        version: null,
      });
      expect(world.runEnds).toEqual([
        { outcome: 'gate-not-passed', reason: `gates: ${verdict}`, watermark: '2013-03' },
      ]);
      expect(world.registrations).toBe(0);
    },
  );

  it('moves no watermark when the run named its last partition itself', async () => {
    const world = new FakeWorld();
    world.snapshot = { outcome: 'taken', snapshotSha256: 'a'.repeat(64), watermark: null, summary: 'until 2013-02' };
    await train(world, { model: ownModel(), until: '2013-02' });
    world.gateVerdict = 'fail';
    await train(world, { model: ownModel(), until: '2013-02' });
    expect(world.watermarks).toEqual([null]);
    expect(world.runEnds).toMatchObject([{ watermark: null }]);
  });

  it('waits for another run of the same model, and goes on when that one has ended', async () => {
    const world = new FakeWorld();
    const model = ownModel();
    world.leases.set(`train/${model}`, 'train/other|run');
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await start(taskQueue, { model });
      await eventually(
        'it was told to wait',
        async () => world.refusedLeases,
        (count) => count >= 2,
      );
      expect(world.trained).toBe(0);
      world.leases.clear();
      expect((await handle.result()).outcome).toBe('registered');
    });
  });

  it('is closed as cancelled and gives its lease back when it is cancelled', async () => {
    const world = new FakeWorld();
    let training = false;
    world.remote.train = async () => {
      training = true;
      throw new PerdureError('server/unreachable', 'not yet');
    };
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await start(taskQueue, { model: ownModel() });
      await eventually('it trains', async () => training, Boolean);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    });
    expect(world.runEnds).toEqual([{ outcome: 'cancelled', reason: 'cancelled', watermark: null }]);
    expect(world.leases.size).toBe(0);
  });

  it('records why it failed, in words, and gives its lease back', async () => {
    const world = new FakeWorld();
    world.remote.train = async () => {
      throw new PerdureError(
        'training/out-of-memory',
        'the trainer was ended: it used more than 4096 MB. Raise training.memoryMb.',
      );
    };
    await expect(train(world)).rejects.toMatchObject({ cause: { cause: { type: 'training/out-of-memory' } } });
    expect(world.runEnds).toEqual([
      {
        outcome: 'failed',
        reason: 'the trainer was ended: it used more than 4096 MB. Raise training.memoryMb.',
        watermark: null,
      },
    ]);
    expect(world.leases.size).toBe(0);
  });

  it.each([
    [{}, 'model:'],
    [{ model: 'Flight Delay' }, 'model:'],
    [{ model: 'flight-delay', until: 'April' }, 'until:'],
    [{ model: 'flight-delay', cause: { kind: 'mood' } }, 'cause.kind:'],
  ])('fails at once on %j and names the field', async (input, field) => {
    const world = new FakeWorld();
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await bench.client.workflow.start('trainModel', {
        taskQueue,
        workflowId: `train-${randomUUID()}`,
        args: [input],
      });
      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: 'input/invalid', message: expect.stringContaining(field) },
      });
    });
    expect(world.opened).toBe(0);
  });

  // The last one here: the test server skips no more time after a child that outlives its parent.
  it('asks for the promotion of what it registered in the name of its cause’s actor, and does not wait for it', async () => {
    const world = new FakeWorld();
    world.promote = 'production';
    world.roles = { ann: ['approver'] };
    const model = ownModel();
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await start(taskQueue, { model, cause: { kind: 'data', id: '2013-03' } });
      expect(await handle.result()).toMatchObject({
        outcome: 'registered',
        promotion: `promote/${model}/2/production`,
      });
      const promotion = bench.client.workflow.getHandle(`promote/${model}/2/production`);
      await eventually(
        'the promotion waits',
        async () => (await promotion.query(promotionStatusQuery)).state,
        (state) => state === 'waiting-for-approval',
      );
      await promotion.signal(rejectSignal, { actor: 'ann', comment: '' });
      await promotion.result();
    });
    expect(world.promotions).toMatchObject([{ requestedBy: 'system:data', environment: 'production' }]);
  });
});
