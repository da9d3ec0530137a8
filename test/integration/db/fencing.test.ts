import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { createPromotionActivities } from '../../../activities/promotion/promotions.js';
import { createRouteActivities } from '../../../activities/serving/routes.js';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import type { Database } from '../../../db/connect.js';
import { decideQuarantine, recordPartition } from '../../../db/data/partition-queries.js';
import { acknowledgeRoute, forgetGateway, liveGateways, recordGateway } from '../../../db/serving/gateway-queries.js';
import { acquireLease } from '../../../db/lease-queries.js';
import {
  openPromotion,
  promotionById,
  recordEscalation,
  recordReminder,
  setPromotionState,
  showEvidence,
} from '../../../db/promotion/promotion-queries.js';
import { runWithSnapshot } from '../../../db/training/run-lists.js';
import { openRollout, recordLook, rolloutById, setRolloutState } from '../../../db/rollout/rollout-queries.js';
import { storeId, writeRoute } from '../../../db/serving/route-queries.js';
import {
  closeRun,
  finishRunStep,
  mustHaveStep,
  runById,
  startRunStep,
  updateRun,
  type StepClaim,
} from '../../../db/training/run-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { listVersions } from '../../../db/model/version-lists.js';
import type { StageJudgement } from '../../../domain/rollout/judge/judge.js';
import type { Evidence, PromotionState } from '../../../domain/promotion/promotion.js';
import type { SettledRollout } from '../../../domain/rollout/rollout-plan.js';
import type { RolloutState } from '../../../domain/rollout/move-after-look.js';
import { promotionMoves } from '../../../domain/promotion/promotion-moves.js';
import { rolloutMoves } from '../../../domain/rollout/rollout-moves.js';
import { isEnd, writeOrderOf } from '../../../domain/state-moves.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { pollUntil } from '../../support/poll-until.js';
import { openedRun } from './registered-run.js';

let db: Database;
let databaseUrl: string;
suiteDatabase((opened) => ({ db, url: databaseUrl } = opened));

const environment = 'production' as const;
const tooLate = { code: 'state/conflict', message: expect.stringContaining('nothing was') };
const settled = {
  policy: { strategy: 'direct' },
  parties: { champion: 1, challenger: 2 },
  stages: [],
} as unknown as SettledRollout;

/** The shortest legal way to a state. */
function wayTo<State extends string>(
  moves: Readonly<Record<State, readonly State[]>>,
  first: State,
  state: State,
): State[] {
  const ways: State[][] = [[first]];
  for (const way of ways) {
    const last = way.at(-1);
    if (last === state) return way.slice(1);
    for (const next of Object.keys(moves) as State[])
      if (last !== undefined && moves[next].includes(last) && !way.includes(next)) ways.push([...way, next]);
  }
  throw new Error(`no way leads to ${state}`);
}

async function promotionIn(state: PromotionState): Promise<string> {
  const id = randomUUID();
  await openPromotion(db, {
    id,
    workflowId: `promote/m/2/${id}`,
    model: 'm',
    version: 2,
    environment,
    requestedBy: 'rita',
  });
  for (const next of wayTo(promotionMoves, 'gathering-evidence', state))
    await setPromotionState(db, id, next, `became ${next}`, 1);
  return id;
}

async function rolloutIn(state: RolloutState): Promise<string> {
  const id = randomUUID();
  const one = {
    id,
    workflowId: `rollout/${id}`,
    environment,
    model: `m-${id}`,
    challenger: 2,
    champion: 1,
    promotionId: null,
  };
  await openRollout(db, { ...one, settled });
  for (const next of wayTo(rolloutMoves, 'running', state)) await setRolloutState(db, id, next, 0, `became ${next}`, 1);
  return id;
}

describe('a promotion', () => {
  const states = Object.keys(promotionMoves) as PromotionState[];
  it.each(states)('that is %s is moved on only as its states allow, and otherwise not touched', async (from) => {
    for (const to of states) {
      const id = await promotionIn(from);
      const before = await promotionById(db, id);
      const move = setPromotionState(db, id, to, 'late', 2);
      if (promotionMoves[to].includes(from)) {
        await move;
        expect(await promotionById(db, id)).toMatchObject({ state: to, reason: 'late' });
        continue;
      }
      if (from === to && isEnd(promotionMoves, to)) await move;
      else await expect(move, `${from} to ${to}`).rejects.toMatchObject(tooLate);
      expect(await promotionById(db, id)).toEqual(before);
    }
  });

  it('that waits or is over is left alone by an attempt of an earlier turn', async () => {
    const id = await promotionIn('waiting-for-approval');
    await setPromotionState(db, id, 'rolling-out', null, 20);
    await expect(setPromotionState(db, id, 'waiting-for-approval', null, 19)).rejects.toMatchObject(tooLate);
    const shown = { evidence: { champion: 7 } as Evidence, evidenceSha256: 'late', expiresAt: null };
    await expect(showEvidence(db, id, shown, 19)).rejects.toMatchObject(tooLate);
    expect(await promotionById(db, id)).toMatchObject({ state: 'rolling-out', evidenceSha256: null });
    const over = await promotionIn('rejected');
    await expect(showEvidence(db, over, shown, 99)).rejects.toMatchObject(tooLate);
    await recordReminder(db, over);
    await recordEscalation(db, over);
    expect(await promotionById(db, over)).toMatchObject({ evidenceSha256: null, remindedAt: null, escalatedAt: null });
  });

  it('is not moved by an attempt that was held between reading and writing while another one moved it', async () => {
    const id = await promotionIn('gathering-evidence');
    const { setPromotionState: enter } = createPromotionActivities({ db } as ActivityDependencies);
    const attempt = (scheduledTimestampMs: number, number: number, state: PromotionState) =>
      new MockActivityEnvironment({ scheduledTimestampMs, attempt: number }).run(enter, {
        promotionId: id,
        state,
        reason: null,
      });
    const holder = postgres(databaseUrl, { max: 1 });
    try {
      const held = await holder.reserve();
      await held`begin`;
      await held`select from promotions where id = ${id} for update`;
      const zombie = attempt(1_000, 1, 'waiting-for-approval');
      const refusal = expect(zombie).rejects.toMatchObject(tooLate);
      await pollUntil('its write waits for the row', 20_000, async () => {
        const [row] = await db.sql<
          { n: number }[]
        >`select count(*)::int as n from pg_stat_activity where datname = current_database()
          and wait_event_type = 'Lock'`;
        return row && row.n > 0 ? true : undefined;
      });
      const later = writeOrderOf({ scheduledTimestampMs: 2_000, attempt: 1 });
      await held`update promotions set state = 'rolling-out', turn = ${later} where id = ${id}`;
      await held`commit`;
      held.release();
      await refusal;
    } finally {
      await holder.end({ timeout: 5 });
    }
    expect(await promotionById(db, id)).toMatchObject({ state: 'rolling-out' });
    await attempt(3_000, 1, 'promoted');
    await attempt(3_000, 2, 'promoted');
    expect(await promotionById(db, id)).toMatchObject({ state: 'promoted' });
  });
});

describe('a rollout', () => {
  const states = Object.keys(rolloutMoves) as RolloutState[];
  it.each(states)('that is %s is moved on only as its states allow, and otherwise not touched', async (from) => {
    for (const to of states) {
      const id = await rolloutIn(from);
      const before = await rolloutById(db, id);
      const move = setRolloutState(db, id, to, 3, 'late', 2);
      if (rolloutMoves[to].includes(from)) {
        await move;
        expect(await rolloutById(db, id)).toMatchObject({ state: to, stage: 3 });
        continue;
      }
      if (from === to && isEnd(rolloutMoves, to)) await move;
      else await expect(move, `${from} to ${to}`).rejects.toMatchObject(tooLate);
      expect(await rolloutById(db, id)).toEqual(before);
    }
  });

  it('is left alone by an attempt of an earlier turn, and takes no look once it is over', async () => {
    const id = await rolloutIn('running');
    await setRolloutState(db, id, 'running', 1, null, 20);
    await expect(setRolloutState(db, id, 'running', 0, null, 19)).rejects.toMatchObject(tooLate);
    const look = (number: number) =>
      recordLook(db, {
        rolloutId: id,
        look: number,
        stage: 0,
        inputs: { n: number },
        result: { verdict: 'pass' } as StageJudgement,
      });
    expect(await look(1)).toEqual({ verdict: 'pass' });
    await setRolloutState(db, id, 'aborted', 1, null, 21);
    expect(await look(1)).toEqual({ verdict: 'pass' });
    await expect(look(2)).rejects.toMatchObject(tooLate);
  });

  it('does what was settled first, whichever attempt settled it', async () => {
    const id = randomUUID();
    const one = { id, workflowId: 'w', environment, model: 'm', challenger: 2, champion: 1, promotionId: null };
    await openRollout(db, { ...one, settled });
    const other = { ...settled, epochBefore: 99 };
    expect(await openRollout(db, { ...one, settled: other })).toEqual(settled);
  });

  it('writes no stage any more once it has written its way back, though it holds its lease still', async () => {
    const model = `back-${randomUUID().slice(0, 8)}`;
    const held = await acquireLease(db, `rollout/production/${model}`, 'w|1');
    if (!('grant' in held)) throw new Error('held');
    const rolloutId = randomUUID();
    const write = { environment, model, reason: 'test', lease: held.grant };
    const whole = [{ version: 1, sharePct: 100 }];
    await writeRoute(db, { ...write, split: whole, idempotencyKey: `${rolloutId}/back` });
    const { writeRoute: activity } = createRouteActivities({
      db,
      config: { accessFile: 'access.json' } as ActivityDependencies['config'],
    });
    await openRollout(db, {
      ...{ id: rolloutId, workflowId: 'w', environment, model, challenger: 2, champion: 1, promotionId: null },
      settled: {
        parties: { champion: 1, challenger: 2, alsoShadow: [], testers: { keys: [], headers: [] } },
        stages: [{ name: 'canary', kind: 'canary', challengerPct: 20, shadowPct: 0, standby: 'none' }],
      } as unknown as SettledRollout,
    });
    const late = activity({ ...write, target: { rolloutId, stage: 0 }, idempotencyKey: `${rolloutId}/step-0` });
    await expect(late).rejects.toMatchObject({ code: 'lease/lost' });
  });
});

describe('a run', () => {
  const claimOf = (runId: string, turn: number): StepClaim => ({ runId, step: 'train', writeOrder: turn });
  const lost = { code: 'lease/lost' };

  it('takes what the latest attempt of a step writes, and nothing of an earlier one', async () => {
    const { runId, snapshotSha256 } = await openedRun(db, 'steps', randomUUID(), null);
    const [first, second] = [await startRunStep(db, claimOf(runId, 1)), await startRunStep(db, claimOf(runId, 2))];
    for (const late of [
      () => startRunStep(db, first),
      () => mustHaveStep(db, first),
      () => updateRun(db, first, { snapshotSha256 }),
      () => finishRunStep(db, first, 'late'),
    ])
      await expect(late()).rejects.toMatchObject(lost);
    expect(await runById(db, runId)).toMatchObject({ snapshotSha256: null });
    await mustHaveStep(db, second);
    await updateRun(db, second, { snapshotSha256 });
    await finishRunStep(db, second, 'done');
    await finishRunStep(db, second, 'done');
    expect((await runWithSnapshot(db, runId)).steps).toMatchObject([
      { step: 'train', summary: 'done', finishedAt: expect.any(Date) },
    ]);
  });

  it('takes nothing any more once it has ended, and its open step is closed with the reason', async () => {
    const run = await openedRun(db, 'ended', randomUUID(), null);
    const claim = await startRunStep(db, claimOf(run.runId, 1));
    await closeRun(db, { runId: run.runId, outcome: 'failed', reason: 'the trainer broke', watermark: null });
    const before = await runWithSnapshot(db, run.runId);
    expect(before.steps).toMatchObject([{ finishedAt: expect.any(Date), summary: 'not finished: the trainer broke' }]);
    for (const late of [
      () => startRunStep(db, claimOf(run.runId, 9)),
      () => mustHaveStep(db, claim),
      () => updateRun(db, claim, { metrics: run.metrics }),
      () => finishRunStep(db, claim, 'late'),
    ])
      await expect(late()).rejects.toMatchObject(lost);
    await expect(registerVersion(db, run)).rejects.toMatchObject({ code: 'state/conflict' });
    await closeRun(db, { runId: run.runId, outcome: 'cancelled', reason: 'late', watermark: '2013-09' });
    expect(await runWithSnapshot(db, run.runId)).toEqual(before);
    expect(await listVersions(db, 'ended', { limit: 1 })).toMatchObject({ items: [] });
  });

  it('shows its registration as a step, once', async () => {
    const run = await openedRun(db, 'shown', randomUUID(), null);
    await registerVersion(db, run);
    await registerVersion(db, run);
    expect((await runWithSnapshot(db, run.runId)).steps).toMatchObject([{ step: 'register', summary: 'shown@1' }]);
  });
});

describe('a quarantine', () => {
  it('is decided once, by one of two who decide at once', async () => {
    const content = {
      model: 'q',
      partition: '2013-01',
      inputsSha256: 'i',
      reportKey: 'r',
      summary: 's',
      rows: 3,
      positives: 1,
    };
    await recordPartition(db, { ...content, state: 'quarantined', fileKey: 'f' });
    const decide = (actor: string, decision: 'released' | 'discarded') =>
      decideQuarantine(db, { model: 'q', partition: '2013-01', inputsSha256: 'i', decision, actor, comment: '' });
    const answers = await Promise.allSettled([decide('ann', 'released'), decide('ben', 'discarded')]);
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a gateway', () => {
  it('that was replaced neither ends the lease of its successor nor takes an acknowledgement back', async () => {
    const gateway = { gatewayId: 'g', environment, url: 'http://127.0.0.1:1', bootId: 'new' };
    await recordGateway(db, gateway);
    const said = { gatewayId: 'g', environment, model: 'gm', storeId: await storeId(db) };
    await acknowledgeRoute(db, { ...said, epoch: 7 });
    await acknowledgeRoute(db, { ...said, epoch: 6, error: 'late' });
    await forgetGateway(db, { gatewayId: 'g', bootId: 'old' });
    expect(await liveGateways(db, environment, 'gm')).toMatchObject([{ id: 'g', epoch: 7, error: null }]);
    await forgetGateway(db, gateway);
    expect(await liveGateways(db, environment, 'gm')).toEqual([]);
  });
});
