import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  approveSignal,
  decidePromotionUpdate,
  giveWaySignal,
  promotionStatusQuery,
  rejectSignal,
  withdrawSignal,
} from '../../workflows/messages.js';
import { createBench, eventually, type Bench } from '../support/temporal-environment.js';
import { FakeWorld } from '../support/fakes/fake-world.js';
import { detailsOf, promotion, untilWaiting } from './promotion-bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.close());

const approve = (actor: string, more: object = {}) => ({
  args: [{ decision: 'approve' as const, actor, comment: '', ...more }] as [
    { decision: 'approve'; actor: string; comment: string },
  ],
});

function worldWith(policy: Record<string, unknown> = {}): FakeWorld {
  const world = new FakeWorld({
    promotion: policy,
    rollout: { steps: [{ sharePct: 100, minSeconds: 1, maxSeconds: 60 }] },
  });
  world.roles = { ann: ['approver'], ben: ['approver'], rita: ['approver'], olga: ['owner'], otto: ['reader'] };
  return world;
}

describe('a newer candidate', () => {
  it('ends a promotion that waits; a nudge without one changes nothing', async () => {
    const world = worldWith();
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(giveWaySignal);
      // Ruled on after the nudge: it is still open, and a decision that does not count changes nothing.
      await handle.executeUpdate(decidePromotionUpdate, approve('otto'));
      expect((await handle.query(promotionStatusQuery)).state).toBe('waiting-for-approval');
      world.newerCandidate = 3;
      await handle.signal(giveWaySignal);
      return handle.result();
    });
    expect(result).toMatchObject({ state: 'superseded', reason: 'version 3 was requested after it' });
    expect(world.challengerShares).toEqual([]);
  });

  it('that was approved already goes on', async () => {
    const world = worldWith();
    world.newerCandidate = 3;
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.executeUpdate(decidePromotionUpdate, approve('ann'));
      await handle.signal(giveWaySignal).catch(() => undefined); // It may have ended by now.
      return handle.result();
    });
    expect(result.state).toBe('promoted');
  });

  it('tells the older ones, and says so', async () => {
    const world = worldWith();
    world.olderWaiting = [1];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await detailsOf(handle)).toContain('supersedes version 1, which was waiting');
    });
  });
});

describe('an approval', () => {
  it('by update lets the version in: the decision is recorded, the rollout runs, the version is promoted', async () => {
    const world = worldWith();
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann'))).toMatchObject({
        counted: true,
        reason: expect.stringMatching(/^approved \(not signed/),
      });
      return handle.result();
    });
    expect(result.state).toBe('promoted');
    expect(world.rulings).toMatchObject([
      { actor: 'ann', decision: 'approve', via: 'update', counted: true, selfApproved: false },
    ]);
    expect(world.promotionStates).toEqual(['waiting-for-approval', 'rolling-out', 'promoted']);
    expect(world.challengerShares).toEqual([100]);
  });

  it('by signal counts as well where the policy counts unsigned signals', async () => {
    const world = worldWith();
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(approveSignal, { actor: 'ann', comment: 'looks right' });
      return handle.result();
    });
    expect(result.state).toBe('promoted');
    expect(world.rulings).toMatchObject([{ actor: 'ann', via: 'signal', counted: true }]);
  });

  it('that comes while the evidence is still gathered waits for it, and is bound to it', async () => {
    const world = worldWith();
    let show = () => {};
    const shown = new Promise<void>((resolve) => (show = resolve));
    const { gatherEvidence } = world.remote;
    world.remote.gatherEvidence = async (asked) => {
      await shown;
      return gatherEvidence(asked);
    };
    await promotion(bench, world, async (handle) => {
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
      expect(world.rulings).toEqual([]);
      show();
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings).toMatchObject([{ counted: true, evidenceSha256: '1'.repeat(64) }]);
  });

  it('by two people is two approvals, by one person twice is one', async () => {
    const world = worldWith({ approvals: { count: 2 } });
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann'))).toMatchObject({ counted: true });
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann'))).toMatchObject({
        counted: false,
        reason: expect.stringContaining('already approved'),
      });
      expect((await handle.query(promotionStatusQuery)).state).toBe('waiting-for-approval');
      expect(world.challengerShares).toEqual([]);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ben'))).toMatchObject({ counted: true });
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings.map((ruling) => ruling.counted)).toEqual([true, false, true]);
  });

  it('is refused and recorded for a wrong role, the requester, a system actor and other evidence than the one shown', async () => {
    const world = worldWith();
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('otto'))).toMatchObject({
        counted: false,
        reason: expect.stringContaining('none of the roles approver'),
      });
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('rita'))).toMatchObject({
        counted: false,
        reason: expect.stringContaining('cannot approve'),
      });
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('system:data'))).toMatchObject({
        counted: false,
        reason: 'system actors never decide',
      });
      expect(
        await handle.executeUpdate(decidePromotionUpdate, approve('ann', { evidenceSha256: '9'.repeat(64) })),
      ).toMatchObject({
        counted: false,
        reason: expect.stringContaining('other evidence'),
      });
      expect(await detailsOf(handle)).toContain('otto: approve by update — NOT counted');
      await handle.signal(withdrawSignal, { actor: 'rita', comment: '' });
      expect((await handle.result()).state).toBe('withdrawn');
    });
    expect(world.rulings.map((ruling) => ruling.actor)).toEqual(['otto', 'rita', 'system:data', 'ann', 'rita']);
    expect(world.challengerShares).toEqual([]);
  });

  it('by the requester counts where the access file allows it, and is recorded as self-approved', async () => {
    const world = worldWith();
    world.allowRequester = true;
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('rita'))).toMatchObject({
        counted: true,
        reason: expect.stringContaining('approved by the requester'),
      });
      await handle.result();
    });
    expect(world.rulings).toMatchObject([{ actor: 'rita', counted: true, selfApproved: true }]);
  });

  it('by an unsigned signal is recorded and answered in the details, but not counted, where the policy says record', async () => {
    const world = worldWith({ unsignedSignals: 'record' });
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(approveSignal, { actor: 'ann', comment: '' });
      await eventually(
        'the signal is ruled on',
        async () => world.rulings.length,
        (count) => count === 1,
      );
      await eventually(
        'the details answer it',
        () => detailsOf(handle),
        (text) => text.includes('ann: approve by signal — NOT counted: signals carry no signature'),
      );
      expect((await handle.query(promotionStatusQuery)).state).toBe('waiting-for-approval');
      await handle.executeUpdate(decidePromotionUpdate, approve('ben'));
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings.map(({ via, counted }) => ({ via, counted }))).toEqual([
      { via: 'signal', counted: false },
      { via: 'update', counted: true },
    ]);
  });
});

describe('approvals by several roles', () => {
  it('let the version in once each requirement has its own person; the status says who is still needed', async () => {
    const world = worldWith({ approvals: { count: 1, alsoRequire: [{ roles: ['risk-officer'] }] } });
    world.roles['rob'] = ['risk-officer'];
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.executeUpdate(decidePromotionUpdate, approve('ann'));
      expect((await handle.query(promotionStatusQuery)).stillNeeded).toEqual([{ count: 1, roles: ['risk-officer'] }]);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ben'))).toMatchObject({
        counted: false,
        reason: expect.stringContaining('still needed: 1 from risk-officer'),
      });
      await handle.executeUpdate(decidePromotionUpdate, approve('rob'));
      expect((await handle.result()).state).toBe('promoted');
    });
  });

  it('do not come from who had the version trained', async () => {
    const world = worldWith();
    world.trainedBy = 'ann';
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann'))).toMatchObject({ counted: false });
      await handle.executeUpdate(decidePromotionUpdate, approve('ben'));
      expect((await handle.result()).state).toBe('promoted');
    });
  });
});

describe('where only signed decisions are trusted', () => {
  it('unsigned ones and those whose signature does not hold are recorded and answered, never counted', async () => {
    const world = worldWith();
    world.trust = 'signed';
    world.proofs = {
      good: { kind: 'signed', keyId: 'k1' },
      stolen: { kind: 'refused', reason: 'its signature was made for another promotion' },
    };
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann'))).toMatchObject({ counted: false });
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann', { signature: 'stolen' }))).toMatchObject({
        counted: false,
        reason: 'its signature was made for another promotion',
      });
      await handle.signal(rejectSignal, { actor: 'ben', comment: '' });
      await eventually(
        'the signal is ruled on',
        async () => world.rulings.length,
        (count) => count === 3,
      );
      expect((await handle.query(promotionStatusQuery)).state).toBe('waiting-for-approval');
      expect(await handle.executeUpdate(decidePromotionUpdate, approve('ann', { signature: 'good' }))).toMatchObject({
        counted: true,
      });
      expect((await handle.result()).state).toBe('promoted');
    });
    expect(world.rulings.map((ruling) => ruling.counted)).toEqual([false, false, false, true]);
  });
});

describe('a decision that is none', () => {
  it('is refused by the validator and leaves no trace', async () => {
    const world = worldWith();
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      for (const garbage of [
        null,
        'yes',
        {},
        { decision: 'maybe', actor: 'ann' },
        { decision: 'approve', actor: '  ' },
      ]) {
        await expect(handle.executeUpdate('decidePromotion', { args: [garbage] })).rejects.toMatchObject({
          cause: { type: 'input/invalid' },
        });
      }
      expect(world.rulings).toEqual([]);
      const { events } = await handle.fetchHistory();
      expect((events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
      await handle.signal(rejectSignal, { actor: 'ann', comment: '' });
      await handle.result();
    });
  });
});

describe('what ends a promotion', () => {
  it('a rejection ends it at once, whatever was approved before, and nothing is rolled out', async () => {
    const world = worldWith({ approvals: { count: 2 } });
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.executeUpdate(decidePromotionUpdate, approve('ann'));
      await handle.signal(rejectSignal, { actor: 'ben', comment: 'slices got worse' });
      expect(await handle.result()).toMatchObject({ state: 'rejected', reason: 'reject by ben' });
    });
    expect(world.challengerShares).toEqual([]);
  });

  it('only its requester or an owner may withdraw it', async () => {
    const world = worldWith();
    await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.signal(withdrawSignal, { actor: 'ann', comment: '' });
      await eventually(
        'the first is ruled on',
        async () => world.rulings.length,
        (count) => count === 1,
      );
      await handle.signal(withdrawSignal, { actor: 'olga', comment: '' });
      expect((await handle.result()).state).toBe('withdrawn');
    });
    expect(world.rulings.map((ruling) => ruling.counted)).toEqual([false, true]);
  });

  it('a cancellation, which nobody signs, decides nothing while it waits, and says what does', async () => {
    const world = worldWith();
    const result = await promotion(bench, world, async (handle) => {
      await untilWaiting(handle);
      await handle.cancel();
      await eventually(
        'the details say so',
        () => detailsOf(handle),
        (details) => details.includes('a cancellation decides nothing: send Signal reject or withdraw'),
      );
      await handle.executeUpdate(decidePromotionUpdate, approve('ann'));
      return handle.result();
    });
    expect(result.state).toBe('promoted');
  });

  it('another version that came first ends it as superseded', async () => {
    const world = worldWith();
    world.conflict = 'version 3 became champion meanwhile';
    expect(await promotion(bench, world, (handle) => handle.result())).toMatchObject({
      state: 'superseded',
      reason: 'version 3 became champion meanwhile',
    });
  });
});
