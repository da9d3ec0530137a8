import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workflowIds } from '../../domain/ids.js';
import {
  abortSignal,
  advanceSignal,
  approveSignal,
  pauseSignal,
  promotionStatusQuery,
  rejectSignal,
  resumeSignal,
  rolloutStatusQuery,
  steerRolloutUpdate,
} from '../../workflows/messages.js';
import type { rolloutModel } from '../../workflows/rollout/rollout-model.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { ownRequest, promotion, untilWaiting } from './promotion-bench.js';

// The server that the product runs on: see abort-rollout.test.ts.
let bench: Bench;
beforeAll(async () => {
  bench = await createBench({ time: 'real' });
});
afterAll(() => bench.close());

type Handle = Awaited<ReturnType<typeof bench.client.workflow.start<typeof rolloutModel>>>;

/** A rollout in its first stage, whose judge has nothing to say. */
async function rollout<T>(world: FakeWorld, work: (handle: Handle) => Promise<T>): Promise<T> {
  world.verdicts = ['no-data'];
  world.roles = { ann: ['approver'], otto: ['reader'] };
  const model = `m-${randomUUID().slice(0, 8)}`;
  return bench.withWorkers(world, async (taskQueue) => {
    const handle = await bench.client.workflow.start<typeof rolloutModel>('rolloutModel', {
      taskQueue,
      workflowId: workflowIds.rollout('production', model),
      args: [{ model, version: 2 }],
    });
    await eventually(
      'the first stage is in force',
      async () => (await handle.query(rolloutStatusQuery))?.epoch,
      (epoch) => typeof epoch === 'number',
    );
    return work(handle);
  });
}

const untilSteered = (world: FakeWorld, count: number) =>
  eventually(
    'what was said is written down',
    async () => world.steered.length,
    (steered) => steered === count,
  );

const untilLooks = (looks: readonly number[], count: number) =>
  eventually(
    `the judge is asked ${count} times`,
    async () => looks.length,
    (length) => length >= count,
  );

/** A moment that others wait for. */
function moment(): { come: Promise<void>; let: () => void } {
  let comes = (): void => undefined;
  const come = new Promise<void>((resolve) => (comes = resolve));
  return { come, let: () => comes() };
}

const malformed: unknown[] = [
  null,
  7,
  'go on',
  ['ann'],
  { reason: 7 },
  { actor: {} },
  { actor: null },
  { actor: 'ann', reason: { text: 'x' } },
  { actor: 'an\u0000n' },
  { actor: 'ann', reason: 'half \ud800' },
  { actor: 'a'.repeat(201) },
  { actor: 'ann', reason: 'x'.repeat(1_500_000) },
  { actor: 'ann', share: 100 },
  JSON.parse('{"actor": "ann", "__proto__": {"reason": "x"}}'),
];

describe('what is said to a rollout', () => {
  it('stands in the route that is written because of it, and in a record, with who said it and their roles', async () => {
    const world = new FakeWorld();
    await rollout(world, async (handle) => {
      expect(
        await handle.executeUpdate(steerRolloutUpdate, {
          args: [{ command: 'advance', actor: 'ann', reason: 'seen enough' }],
        }),
      ).toEqual({
        accepted: true,
        reason: 'continues with the next stage',
      });
      await eventually(
        'the second stage is in force',
        async () => (await handle.query(rolloutStatusQuery))?.step,
        (step) => step === 2,
      );
      await handle.signal(abortSignal, { actor: 'otto', reason: 'complaints' });
      await handle.result();
    });
    const [, first, second, back] = world.routes;
    expect(first).not.toHaveProperty('by');
    expect(second).toMatchObject({
      by: 'ann',
      reason: expect.stringContaining('advanced by ann (approver): seen enough'),
    });
    expect(back).toMatchObject({ by: 'otto', reason: expect.stringContaining('aborted by otto: complaints') });
    expect(world.steered).toMatchObject([
      {
        command: 'advance',
        actor: 'ann',
        roles: ['approver'],
        reason: 'seen enough',
        via: 'update',
        stage: 0,
        accepted: true,
      },
      {
        command: 'abort',
        actor: 'otto',
        roles: ['reader'],
        reason: 'complaints',
        via: 'signal',
        stage: 1,
        accepted: true,
      },
    ]);
  });

  it('moves no traffic where decisions must be signed and it is not, or its actor has no role for it; pause and abort are never held up', async () => {
    const world = new FakeWorld();
    world.trust = 'signed';
    world.proofs = {
      good: { kind: 'signed', keyId: 'k' },
      bad: { kind: 'refused', reason: 'its signature does not match its content' },
    };
    await rollout(world, async (handle) => {
      const say = (command: 'advance' | 'resume' | 'pause' | 'abort', actor: string, signature?: string) =>
        handle.executeUpdate(steerRolloutUpdate, {
          args: [{ command, actor, reason: '', ...(signature && { signature }) }],
        });
      expect(await say('advance', 'ann')).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('it is not signed'),
      });
      expect(await say('advance', 'ann', 'bad')).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('does not match'),
      });
      expect(await say('advance', 'otto', 'good')).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('none of the roles'),
      });
      expect(await say('pause', 'otto')).toMatchObject({ accepted: true });
      expect(await say('resume', 'otto')).toMatchObject({ accepted: false });
      await handle.signal(resumeSignal, { actor: 'otto', reason: '' });
      await untilSteered(world, 6);
      expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'paused', step: 1 });
      expect(await say('resume', 'ann', 'good')).toMatchObject({ accepted: true });
      expect(await say('abort', 'otto')).toMatchObject({ accepted: true });
      expect((await handle.result()).state).toBe('aborted');
    });
    expect(world.challengerShares).toEqual([5, 0]);
    expect(world.steered.map(({ command, accepted }) => `${command} ${accepted ? 'taken' : 'not taken'}`)).toEqual([
      'advance not taken',
      'advance not taken',
      'advance not taken',
      'pause taken',
      'resume not taken',
      'resume not taken',
      'resume taken',
      'abort taken',
    ]);
  });

  it('leaves the stage that it was said in, and no other: where the judge is quicker, it has been done or is refused', async () => {
    const steps = [5, 25, 100].map((sharePct) => ({ sharePct, minSeconds: 0, maxSeconds: 60 }));
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps } });
    const { lookAtRollout, ruleOnSteering } = world.remote;
    const moments = [moment(), moment(), moment()];
    const looks: number[] = [];
    world.remote.lookAtRollout = async (asked) => {
      looks.push(asked.stage);
      await moments[looks.length - 1]?.come;
      world.verdicts = ['pass'];
      return lookAtRollout(asked);
    };
    // The second is ruled on while the judge lets its stage pass.
    world.remote.ruleOnSteering = async (asked) => {
      const answer = await ruleOnSteering(asked);
      if (asked.stage === 1) {
        moments[1]?.let();
        await untilLooks(looks, 3);
      }
      return answer;
    };
    await rollout(world, async (handle) => {
      const advance = () =>
        handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'advance', actor: 'ann', reason: '' }] });
      await untilLooks(looks, 1);
      expect(await advance()).toMatchObject({ accepted: true });
      moments[0]?.let();
      await untilLooks(looks, 2);
      expect(await advance()).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('moved on to another stage'),
      });
      moments[2]?.let();
      expect((await handle.result()).state).toBe('completed');
    });
    expect(looks).toEqual([0, 1, 2]);
    expect(world.steered).toMatchObject([
      { stage: 0, accepted: true },
      { stage: 1, accepted: true },
      { stage: 2, accepted: false },
    ]);
  });

  it.each([
    ['pause', pauseSignal],
    ['advance', advanceSignal],
    ['abort', abortSignal],
  ] as const)('counts though it was said before its first task: %s', async (command, signal) => {
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps: [{ sharePct: 100, minSeconds: 0 }] } });
    world.verdicts = ['no-data'];
    world.roles = { ann: ['approver'] };
    const model = `m-${randomUUID().slice(0, 8)}`;
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await bench.client.workflow.signalWithStart('rolloutModel', {
        taskQueue,
        workflowId: workflowIds.rollout('production', model),
        args: [{ model, version: 2 }],
        signal,
        signalArgs: [{ actor: 'ann', reason: 'early' }],
      });
      await untilSteered(world, 1);
      if (command !== 'abort') await handle.signal(abortSignal, { actor: 'ann', reason: 'enough' });
      expect(await handle.result()).toMatchObject({ state: 'aborted' });
    });
    expect(world.steered[0]).toMatchObject({ command, actor: 'ann', accepted: true, stage: 0 });
  });

  it('is answered where it makes no sense, and not done', async () => {
    await rollout(new FakeWorld(), async (handle) => {
      const answer = await handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'resume', actor: 'ann' }] });
      expect(answer).toEqual({ accepted: false, reason: 'the rollout is not paused' });
      await handle.signal(abortSignal);
      await handle.result();
    });
  });

  it('is said of the last stage while the rollout waits to complete', async () => {
    const world = new FakeWorld({
      rollout: { lookEverySeconds: 1, steps: [{ sharePct: 100, minSeconds: 1, maxSeconds: 60 }] },
    });
    const { lookAtRollout } = world.remote;
    const looks: number[] = [];
    const paused = moment();
    world.remote.lookAtRollout = async (asked) => {
      looks.push(asked.stage);
      await paused.come;
      world.verdicts = ['pass'];
      return lookAtRollout(asked);
    };
    await rollout(world, async (handle) => {
      await untilLooks(looks, 1);
      await handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'pause', actor: 'ann', reason: '' }] });
      paused.let();
      await eventually(
        'it waits to complete',
        async () => world.rollouts.at(-1)?.state,
        (state) => state === 'paused',
      );
      await handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'resume', actor: 'ann', reason: '' }] });
      expect((await handle.result()).state).toBe('completed');
    });
    expect(world.steered.map(({ command, stage }) => [command, stage])).toEqual([
      ['pause', 0],
      ['resume', 0],
    ]);
  });

  it('changes nothing where it is malformed, by Signal or Update: it is answered or written down, and the rollout goes on', async () => {
    const steps = [5, 25, 100].map((sharePct) => ({ sharePct, minSeconds: 0 }));
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps } });
    await rollout(world, async (handle) => {
      for (const said of malformed) {
        for (const signal of [pauseSignal, advanceSignal, abortSignal]) {
          // Without anything said a signal is a command all the same, as a click in the Temporal UI sends it.
          if (said !== null) await handle.signal(signal, said as never);
        }
        const isObject = said !== null && typeof said === 'object' && !Array.isArray(said);
        const update: unknown = isObject
          ? JSON.parse(JSON.stringify(said).replace('{', '{"command":"advance",'))
          : said;
        expect(await handle.executeUpdate(steerRolloutUpdate, { args: [update as never] })).toMatchObject({
          accepted: false,
        });
      }
      expect(
        await handle.executeUpdate(steerRolloutUpdate, { args: [{ command: 'launch', actor: 'ann' } as never] }),
      ).toMatchObject({
        accepted: false,
        reason: expect.stringContaining('command'),
      });
      await eventually(
        'what was said is written down',
        async () => world.steered.length,
        (count) => count >= 3 * (malformed.length - 1),
      );
      expect(world.steered.every(({ accepted, actor }) => !accepted && actor === 'unreadable')).toBe(true);
      expect(Math.max(...world.steered.map(({ reason }) => reason.length))).toBeLessThanOrEqual(1000);
      expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'running', step: 1 });
      world.verdicts = ['pass'];
      expect((await handle.result()).state).toBe('completed');
    });
    expect(world.challengerShares).toEqual([5, 25, 100]);
  });
});

describe('a decision by signal', () => {
  it('counts though it was said before the first task, in the order in which it was said', async () => {
    const world = new FakeWorld({ rollout: { lookEverySeconds: 1, steps: [{ sharePct: 100, minSeconds: 0 }] } });
    world.roles = { ann: ['approver'] };
    await bench.withWorkers(world, async (taskQueue) => {
      const handle = await bench.client.workflow.signalWithStart('promoteModel', {
        taskQueue,
        workflowId: `promote-${randomUUID()}`,
        args: [ownRequest()],
        signal: approveSignal,
        signalArgs: [{ actor: 'ann', comment: 'early' }],
      });
      await eventually(
        'it is ruled on',
        async () => world.rulings.length,
        (count) => count === 1,
      );
      await handle.signal(rejectSignal, { actor: 'ann', comment: 'no' });
      await handle.result();
    });
    expect(world.rulings.map(({ decision }) => decision)).toEqual(['approve', 'reject']);
  });

  it('that is malformed counts for nothing, is recorded, and keeps nobody from deciding', async () => {
    const world = new FakeWorld({
      rollout: { lookEverySeconds: 1, steps: [{ sharePct: 100, minSeconds: 1, maxSeconds: 60 }] },
    });
    world.roles = { ann: ['approver'] };
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      for (const said of [...malformed, { actor: 'ann', comment: 7 }, { actor: 'ann', comment: 'x\u0000' }])
        await handle.signal(approveSignal, said as never);
      await eventually(
        'all are ruled on',
        async () => (await handle.query(promotionStatusQuery)).decisions.length,
        (count) => count === malformed.length + 2,
      );
      expect(world.rulings.every(({ counted, actor }) => !counted && actor === 'unreadable')).toBe(true);
      await handle.signal(approveSignal, { actor: 'ann', comment: 'fine' });
      return handle.result();
    });
    expect(result.state).toBe('promoted');
  });
});
