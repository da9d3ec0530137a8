import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { rolloutModel } from '../../workflows/rollout/rollout-model.js';
import { workflowIds } from '../../domain/ids.js';
import { createBench, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

const outcome = { metric: 'outcome', direction: 'higher-is-better' };
const worldOf = (rollout: Record<string, unknown>, facts: Partial<FakeWorld> = {}) =>
  Object.assign(new FakeWorld({ rollout }), facts);

const rollOut = (world: FakeWorld, more: Record<string, unknown> = {}) =>
  bench.withWorkers(world, async (taskQueue) => {
    const handle = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
      taskQueue,
      workflowId: `rollout-${randomUUID()}`,
      args: [{ model: 'flight-delay', version: 2, ...more }],
    });
    return handle.result();
  });

describe('blue-green', () => {
  it('asks the challenger for an answer while it stands by, switches everything, and lets the champion go after the bake', async () => {
    const world = worldOf({ strategy: 'blue-green', bake: { minSeconds: 10, maxSeconds: 60 } });
    expect((await rollOut(world)).state).toBe('completed');
    expect(world.challengerShares).toEqual([0, 100, 100]);
    expect(world.routes.slice(1).map((route) => route.standby)).toEqual([[2], [1], []]);
    expect(world.probed).toEqual([2, 2]);
    expect(world.looks.length).toBeGreaterThan(0);
  });

  it('switches back at once when the bake fails', async () => {
    const world = worldOf({ strategy: 'blue-green' }, { verdicts: ['fail'] });
    expect((await rollOut(world)).state).toBe('rolled-back');
    expect(world.challengerShares).toEqual([0, 100, 0]);
    expect(world.probed).toEqual([2, 1]);
  });

  it('never switches to a challenger that does not answer while it stands by, and can be told to give up', async () => {
    const world = worldOf({ strategy: 'blue-green' }, { answers: (version) => version === 1 });
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
        taskQueue,
        workflowId: `rollout-${randomUUID()}`,
        args: [{ model: 'flight-delay', version: 2 }],
      });
      await bench.env.sleep('5 minutes');
      expect(world.challengerShares).toEqual([0]);
      await handle.signal('abort', { actor: 'ann' });
      expect((await handle.result()).state).toBe('aborted');
    });
    expect(world.challengerShares).toEqual([0, 0]);
  });
});

describe('shadow', () => {
  it('leaves every answer to the champion until it has passed, with further versions beside it', async () => {
    const world = worldOf({
      strategy: 'shadow',
      samplePct: 50,
      minSeconds: 5,
      steps: [
        { sharePct: 20, minSeconds: 5 },
        { sharePct: 100, minSeconds: 5 },
      ],
    });
    expect((await rollOut(world, { alsoShadow: [7] })).state).toBe('completed');
    expect(world.challengerShares).toEqual([0, 20, 100]);
    expect(world.routes.slice(1).map((route) => route.shadows)).toEqual([
      [
        { version: 2, samplePct: 50 },
        { version: 7, samplePct: 50 },
      ],
      [],
      [],
    ]);
  });

  it('that fails ends with nothing but the champion', async () => {
    const world = worldOf({ strategy: 'shadow' }, { verdicts: ['fail'] });
    expect((await rollOut(world)).state).toBe('rolled-back');
    expect(world.routes.at(-1)).toMatchObject({ split: [{ version: 1, sharePct: 100 }], shadows: [] });
  });
});

describe('an A/B test', () => {
  it('gives everything to a challenger that is better', async () => {
    const world = worldOf(
      { strategy: 'ab', challengerPct: 30, outcome, minSeconds: 5 },
      { verdicts: ['no-data', 'inconclusive', 'pass'] },
    );
    expect((await rollOut(world)).state).toBe('completed');
    expect(world.challengerShares).toEqual([30, 100]);
  });

  it.each([
    ['champion', 'rolled-back', /^no winner: inconclusive/, [50, 0]],
    ['challenger', 'completed', /replaces version 1/, [50, 100]],
  ] as const)('without a winner at its horizon keeps the %s', async (onNoWinner, state, reason, shares) => {
    const world = worldOf(
      { strategy: 'ab', outcome, onNoWinner, minSeconds: 0 },
      { verdicts: ['inconclusive'], exhausted: true },
    );
    expect(await rollOut(world)).toMatchObject({ state, reason: expect.stringMatching(reason) });
    expect(world.challengerShares).toEqual(shares);
  });
});

describe('direct', () => {
  it('gives everything at once and looks at nothing', async () => {
    const world = worldOf({ strategy: 'direct', reason: 'the champion leaks memory' });
    expect((await rollOut(world)).state).toBe('completed');
    expect([world.challengerShares, world.looks, world.probed]).toEqual([[100], [], [2]]);
  });
});

describe('late labels', () => {
  it('are asked for a last word once the rollout is over, by a workflow that outlives it', async () => {
    const late = { metric: { metric: 'quality', loss: 'brier', margin: 0.01, harm: 0.05 } };
    const world = worldOf({ strategy: 'direct', reason: 'test', lateLabels: late }, { lateVerdicts: ['fail'] });
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
        taskQueue,
        workflowId: `rollout-${randomUUID()}`,
        args: [{ model: 'flight-delay', version: 2 }],
      });
      expect((await handle.result()).state).toBe('completed');
      await bench.client.workflow.getHandle(workflowIds.review('production', 'flight-delay', 2)).result();
    });
    expect(world.lastWords.map((word) => word.verdict)).toEqual(['fail']);
    expect(world.challengerShares).toEqual([100, 0]);
  });
});
