import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decidePromotion } from '../../client/promotion.js';
import { loadTemporalConfig } from '../../temporal.config.js';
import type { Decision } from '../../domain/promotion/promotion.js';
import { approveSignal, decidePromotionUpdate, promotionStatusQuery, rejectSignal } from '../../workflows/messages.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { detailsOf, ownRequest, promotion, untilWaiting } from './promotion-bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

function worldWith(policy: Record<string, unknown> = {}): FakeWorld {
  const world = new FakeWorld({
    promotion: policy,
    rollout: { steps: [{ sharePct: 100, minSeconds: 1, maxSeconds: 60 }] },
  });
  world.roles = { ann: ['approver'], ben: ['approver'] };
  return world;
}

describe('a promotion that waits', () => {
  it('reminds once each period and expires after its time, with nothing rolled out', async () => {
    const world = worldWith({ remindAfterHours: 24, expireAfterHours: 24 * 7 });
    expect(await promotion(bench, world, (handle) => handle.result())).toMatchObject({
      state: 'expired',
      reason: 'no decision within 168 hours',
    });
    // After each of six days; the seventh ends it.
    expect(world.reminders).toBe(6);
    expect(world.challengerShares).toEqual([]);
  });

  it('asks others too after the time that its policy names, once, and goes on reminding and expiring', async () => {
    const world = worldWith({
      remindAfterHours: 24,
      escalateAfterHours: 36,
      escalateTo: ['head'],
      expireAfterHours: 24 * 4,
    });
    expect(await promotion(bench, world, (handle) => handle.result())).toMatchObject({ state: 'expired' });
    expect(world.escalations).toBe(1);
    expect(world.reminders).toBe(3);
  });

  it('lets an escalation role approve only once it was escalated', async () => {
    const world = worldWith({ escalateAfterHours: 4, escalateTo: ['head'] });
    world.roles['hal'] = ['head'];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      const decision = { args: [{ decision: 'approve' as const, actor: 'hal', comment: '' }] as [Decision] };
      expect(await handle.executeUpdate(decidePromotionUpdate, decision)).toMatchObject({ counted: false });
      await bench.env.sleep('5 hours');
      expect(await detailsOf(handle)).toContain('head may approve too');
      expect((await handle.query(promotionStatusQuery)).stillNeeded).toEqual([
        { count: 1, roles: ['approver', 'head'] },
      ]);
      expect(await handle.executeUpdate(decidePromotionUpdate, decision)).toMatchObject({ counted: true });
      expect((await handle.result()).state).toBe('promoted');
    });
  });

  it('waits for a declared cut-over once it is approved, and can be withdrawn until then', async () => {
    for (const withdrawn of [false, true]) {
      const world = worldWith({ expireAfterHours: 24 });
      world.notBefore = new Date((await bench.env.currentTimeMs()) + 48 * 3_600_000).toISOString();
      await promotion(bench, world, async (handle) => {
        await untilWaiting(handle);
        await handle.signal(approveSignal, { actor: 'ann', comment: '' });
        await eventually(
          'it waits for the cut-over',
          () => detailsOf(handle),
          (details) => details.includes('waiting for its cut-over'),
        );
        await bench.env.sleep('30 hours');
        expect(world.challengerShares).toEqual([]);
        if (withdrawn)
          await handle.executeUpdate(decidePromotionUpdate, {
            args: [{ decision: 'withdraw', actor: 'rita', comment: '' }],
          });
        expect((await handle.result()).state).toBe(withdrawn ? 'withdrawn' : 'promoted');
      });
      expect(world.challengerShares).toEqual(withdrawn ? [] : [100]);
    }
  });

  it('answers a decision that comes after its end: nothing is open under that id', async () => {
    const world = worldWith({ expireAfterHours: 1 });
    await promotion(bench, world, async (handle) => {
      await handle.result();
      const temporal = { client: bench.client, config: loadTemporalConfig({}), close: async () => {} };
      await expect(
        decidePromotion(temporal, handle.workflowId, { decision: 'approve', actor: 'ann', comment: '' }),
      ).rejects.toMatchObject({
        code: 'not-found',
      });
    });
    expect(world.rulings).toEqual([]);
  });

  it('goes on waiting, its decisions kept, when its worker is restarted', async () => {
    const world = worldWith({ approvals: { count: 2 } });
    await promotion(
      bench,
      world,
      async (handle, restart) => {
        await untilWaiting(handle);
        await handle.signal(approveSignal, { actor: 'ann', comment: '' });
        await eventually(
          'the first approval is ruled on',
          async () => world.rulings.length,
          (count) => count === 1,
        );
        await restart();
        expect((await handle.query(promotionStatusQuery)).decisions).toMatchObject([{ actor: 'ann', counted: true }]);
        await handle.signal(approveSignal, { actor: 'ben', comment: '' });
        expect((await handle.result()).state).toBe('promoted');
      },
      { cached: false },
    );
    expect(world.rulings).toHaveLength(2);
    expect(world.challengerShares).toEqual([100]);
  });
});

describe('a promotion whose evidence went out of date', () => {
  it('is asked for again when another version took the champion’s place while its rollout waited for its turn', async () => {
    const world = worldWith();
    world.staleRollouts = 1;
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.executeUpdate(decidePromotionUpdate, { args: [{ decision: 'approve', actor: 'ann', comment: '' }] });
      await eventually(
        'evidence is gathered again',
        async () => world.gathered,
        (count) => count === 2,
      );
      expect(world.challengerShares).toEqual([]);
      await untilWaiting(handle);
      expect(await detailsOf(handle)).toContain('version 9 is champion now');
      await handle.executeUpdate(decidePromotionUpdate, { args: [{ decision: 'approve', actor: 'ann', comment: '' }] });
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings.filter((ruling) => ruling.counted)).toHaveLength(2);
  });

  it('gathers it again, and decisions on the old evidence no longer count', async () => {
    const world = worldWith();
    world.checks = [
      { holds: false, reason: 'the champion is now 3' },
      { holds: true, reason: '' },
    ];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      world.evidence = 2;
      await handle.signal(approveSignal, { actor: 'ann', comment: '', evidenceSha256: '1'.repeat(64) });
      await eventually(
        'new evidence is shown',
        async () => (await handle.query(promotionStatusQuery)).evidenceSha256,
        (sha256) => sha256 === '2'.repeat(64),
      );
      await untilWaiting(handle);
      expect((await handle.query(promotionStatusQuery)).decisions).toEqual([]);
      expect(world.challengerShares).toEqual([]);
      expect(await detailsOf(handle)).toContain('evidence is stale (the champion is now 3)');

      await handle.signal(approveSignal, { actor: 'ben', comment: '', evidenceSha256: '1'.repeat(64) });
      await eventually(
        'the late one is ruled on',
        async () => world.rulings.length,
        (count) => count === 2,
      );
      await handle.signal(approveSignal, { actor: 'ann', comment: '', evidenceSha256: '2'.repeat(64) });
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.gathered).toBe(2);
    expect(world.rulings.map((ruling) => ruling.counted)).toEqual([true, false, true]);
  });

  it('still expires when it was going to: new evidence gives no new time', async () => {
    const world = worldWith({ remindAfterHours: 24, expireAfterHours: 48 });
    world.checks = [{ holds: false, reason: 'the champion changed' }];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await bench.env.sleep('30 hours');
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
      await eventually(
        'the evidence is gathered again',
        async () => world.gathered,
        (count) => count === 2,
      );
      await untilWaiting(handle);
      expect((await handle.result()).state).toBe('expired');
      const { startTime, closeTime } = await handle.describe();
      expect(((closeTime?.getTime() ?? 0) - startTime.getTime()) / 3_600_000).toBeCloseTo(48, 1);
    });
  });
});

describe('a promotion that is approved', () => {
  it('answers a rejection during the rollout that it comes too late, and rolls out', async () => {
    const world = worldWith();
    world.verdicts = ['no-data'];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
      await eventually(
        'the rollout has begun',
        async () => (await handle.query(promotionStatusQuery)).state,
        (state) => state === 'rolling-out',
      );
      await handle.signal(rejectSignal, { actor: 'ben', comment: 'wait!' });
      await eventually(
        'it is answered',
        async () => world.rulings.length,
        (count) => count === 2,
      );
      world.verdicts = ['pass'];
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings.at(-1)).toMatchObject({
      actor: 'ben',
      counted: false,
      reason: expect.stringContaining('abort the rollout'),
    });
  });

  it('is rolled back when its rollout was', async () => {
    const world = worldWith();
    world.verdicts = ['fail'];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
      expect((await handle.result()).state).toBe('rolled-back');
    });
    expect(world.challengerShares).toEqual([100, 0]);
  });
});

describe('a promotion that needs nobody', () => {
  it('lets the first version of an empty environment in by itself, recorded as the policy’s decision', async () => {
    const world = worldWith({ firstVersion: 'automatic' });
    world.champion = null;
    world.routes.length = 0;
    expect((await promotion(bench, world, (handle) => handle.result())).state).toBe('promoted');
    expect(world.policyApprovals).toEqual(['first version of an empty environment']);
    expect(world.promotionStates).not.toContain('waiting-for-approval');
  });

  it('asks a person for the first version where the policy says so', async () => {
    const world = worldWith({ firstVersion: 'approval', expireAfterHours: 1 });
    world.champion = null;
    world.routes.length = 0;
    expect((await promotion(bench, world, (handle) => handle.result())).state).toBe('expired');
    expect(world.policyApprovals).toEqual([]);
  });

  it('lets a version through on its gates alone where the policy requires no approval', async () => {
    const world = worldWith({ approvals: { count: 0 } });
    expect((await promotion(bench, world, (handle) => handle.result())).state).toBe('promoted');
    expect(world.policyApprovals).toEqual(['the policy requires no approval']);
  });
});

describe('a promotion of a version that was trained on a sample', () => {
  it('ends in the environment of the sample, though the policy has further ones', async () => {
    const world = worldWith({ environments: ['development', 'production'], approvals: { count: 0 } });
    world.sample = { environment: 'development', rows: 100, seed: 1 };
    const request = ownRequest({ environment: 'development' });
    const end = await promotion(bench, world, (handle) => handle.result(), { request });
    expect(end.state).toBe('promoted');
    const next = bench.client.workflow.getHandle(`promote/${request.model}/2/production`);
    await expect(next.describe()).rejects.toThrow(/not found/);
    expect(world.promotions.map(({ environment }) => environment)).toEqual(['development']);
  });
});

// The last one here: the test server skips no more time after a child that outlives its parent.
describe('a promotion into the first of several environments', () => {
  it('asks for the next environment of its policy, once it serves in the first', async () => {
    const world = worldWith({ environments: ['staging', 'production'] });
    const request = ownRequest({ environment: 'staging' });
    await promotion(
      bench,
      world,
      async (handle) => {
        await untilWaiting(handle);
        await handle.signal(approveSignal, { actor: 'ann', comment: '' });
        expect((await handle.result()).state).toBe('promoted');
        const next = bench.client.workflow.getHandle(`promote/${request.model}/2/production`);
        await eventually(
          'the next promotion waits',
          async () => (await next.query(promotionStatusQuery)).state,
          (state) => state === 'waiting-for-approval',
        );
        await next.signal(rejectSignal, { actor: 'ann', comment: '' });
        await next.result();
      },
      { request },
    );
    expect(world.promotions.map(({ environment, requestedBy }) => ({ environment, requestedBy }))).toEqual([
      { environment: 'staging', requestedBy: 'rita' },
      { environment: 'production', requestedBy: 'rita' },
    ]);
  });
});
