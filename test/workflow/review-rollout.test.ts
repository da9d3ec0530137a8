import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { reviewRollout } from '../../workflows/rollout/review-rollout.js';
import { createBench, type Bench } from '../support/temporal-environment.js';
import { wholeRoute } from '../support/fakes/world-facts.js';
import { FakeWorld } from '../support/fakes/fake-world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

/** A world in which version 2 has replaced version 1. */
function rolledOut(): FakeWorld {
  const world = new FakeWorld();
  world.routes.push(wholeRoute(2, 2, 'rolled out'));
  return world;
}

const review = (world: FakeWorld) =>
  bench.withWorkers(world, async (taskQueue) => {
    const handle = await bench.client.workflow.start<typeof reviewRollout>('reviewRollout', {
      taskQueue,
      workflowId: `review-${randomUUID()}`,
      args: [{ rolloutId: 'r' }],
    });
    return handle.result();
  });

describe('late labels', () => {
  it('that agree with the rollout are written down, and nothing else happens', async () => {
    const world = rolledOut();
    world.lateVerdicts = ['no-data', 'inconclusive', 'pass'];
    expect((await review(world)).verdict).toBe('pass');
    expect(world.lastWords.map((word) => word.verdict)).toEqual(['pass']);
    expect(world.routes).toHaveLength(2);
  });

  it('that show the challenger to be worse roll it back, proven by a probe', async () => {
    const world = rolledOut();
    world.lateVerdicts = ['no-data', 'fail'];
    expect((await review(world)).verdict).toBe('fail');
    expect(world.routes.at(-1)).toMatchObject({
      epoch: 3,
      split: [{ version: 1, sharePct: 100 }],
      reason: 'rollback by system:labels: late labels: late labels say fail',
    });
    expect(world.probed).toEqual([1]);
  });

  it('that show it to be worse after another version took its place, or where the policy only records, change no route', async () => {
    const replaced = rolledOut();
    replaced.routes.push(wholeRoute(3, 5, 'the next one'));
    replaced.lateVerdicts = ['fail'];
    await review(replaced);
    const recording = rolledOut();
    recording.review = { ...recording.review, onFail: 'record' };
    recording.lateVerdicts = ['fail'];
    await review(recording);
    expect([replaced.routes.length, recording.routes.length]).toEqual([3, 2]);
    expect([...replaced.lastWords, ...recording.lastWords].map((word) => word.verdict)).toEqual(['fail', 'fail']);
  });

  it('that never come are waited for as long as the policy says, and no data is no pass', async () => {
    const world = rolledOut();
    expect((await review(world)).verdict).toBe('no-data');
    expect(world.lastWords.map((word) => word.verdict)).toEqual(['no-data']);
  });
});
