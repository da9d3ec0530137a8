import { describe, expect, it } from 'vitest';
import type { Database } from '../../../db/connect.js';
import { watermarkOf } from '../../../db/data/partition-queries.js';
import {
  decisionsOf,
  openPromotion,
  promotionInto,
  recordDecision,
  setPromotionState,
} from '../../../db/promotion/promotion-queries.js';
import { closeRun, lastResultOf, runById, startRunStep, updateRun } from '../../../db/training/run-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { listVersions } from '../../../db/model/version-lists.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { openedRun } from './registered-run.js';

let db: Database;
suiteDatabase((opened) => ({ db } = opened));

describe('a registration', () => {
  it('gives one version a run, however often and however much at once it is repeated', async () => {
    const run = await openedRun(db, 'once', 'once-1', '2013-02');
    const given = await Promise.all(Array.from({ length: 6 }, () => registerVersion(db, run)));
    const again = await registerVersion(db, { ...run, artifactSha256: 'f'.repeat(64) });
    expect(new Set([...given, again].map((version) => version.version))).toEqual(new Set([1]));
    expect(again.artifactSha256).toBe(run.artifactSha256);
    expect((await listVersions(db, 'once', { limit: 5 })).items).toHaveLength(1);
  });

  it('gives runs that end together consecutive numbers', async () => {
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, index) => openedRun(db, 'many', `many-${index}`, null)),
    );
    const given = await Promise.all(runs.map((run) => registerVersion(db, run)));
    expect(given.map((version) => version.version).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('numbers each model by itself', async () => {
    await registerVersion(db, await openedRun(db, 'own-a', 'own-a-1', null));
    expect((await registerVersion(db, await openedRun(db, 'own-b', 'own-b-1', null))).version).toBe(1);
  });

  it('ends the run and moves the watermark with it, or does none of the three', async () => {
    const run = await openedRun(db, 'together', 'together-1', '2013-02');
    await expect(registerVersion(db, { ...run, runId: 'no-such-run' })).rejects.toThrow();
    expect(await watermarkOf(db, 'together')).toBeUndefined();
    expect(await listVersions(db, 'together', { limit: 1 })).toMatchObject({ items: [] });

    await registerVersion(db, run);
    expect(await watermarkOf(db, 'together')).toEqual({ partition: '2013-02', runId: 'together-1' });
    expect(await runById(db, 'together-1')).toMatchObject({
      outcome: 'registered',
      reason: 'registered as version 1',
      finishedAt: expect.any(Date),
    });
  });
});

describe('the last result of a definition', () => {
  it('is that of the last run that came to one on the newest data, and none before', async () => {
    const run = await openedRun(db, 'tried', 'tried-1', '2013-03');
    const last = async () => (await lastResultOf(db, 'tried', run.definitionSha256))?.runId;
    const snapshot = { snapshotSha256: run.snapshotSha256 };
    await updateRun(db, await startRunStep(db, { runId: run.runId, step: 'snapshot', writeOrder: 0 }), snapshot);
    expect(await last()).toBeUndefined();
    await closeRun(db, { runId: run.runId, outcome: 'gate-not-passed', reason: '', watermark: null });
    expect(await last()).toBe('tried-1');

    const failed = await openedRun(db, 'tried', 'tried-2', '2013-03');
    await updateRun(db, await startRunStep(db, { runId: failed.runId, step: 'snapshot', writeOrder: 0 }), snapshot);
    await closeRun(db, { runId: failed.runId, outcome: 'failed', reason: '', watermark: null });
    expect(await last()).toBe('tried-1');
  });

  it('is no import, which trains nothing', async () => {
    const cause = { kind: 'person', id: 'import-0123456789ab' } as const;
    const brought = await openedRun(db, 'brought', 'brought-1', '2013-03', 'import/brought/1', cause);
    const snapshot = { snapshotSha256: brought.snapshotSha256 };
    await updateRun(db, await startRunStep(db, { runId: brought.runId, step: 'snapshot', writeOrder: 0 }), snapshot);
    await closeRun(db, { runId: brought.runId, outcome: 'registered', reason: '', watermark: null });
    expect(await lastResultOf(db, 'brought', brought.definitionSha256)).toBeUndefined();
  });
});

describe('a watermark', () => {
  it('only rises, whatever order the runs end in', async () => {
    for (const [id, watermark] of [
      ['rising-2', '2013-03'],
      ['rising-1', '2013-02'],
    ] as const) {
      await registerVersion(db, await openedRun(db, 'rising', id, watermark));
    }
    expect(await watermarkOf(db, 'rising')).toEqual({ partition: '2013-03', runId: 'rising-2' });
  });

  it('is moved by a run whose gates did not pass, and left by one without a result', async () => {
    await openedRun(db, 'gates', 'gates-1', null);
    await closeRun(db, { runId: 'gates-1', outcome: 'quarantined', reason: 'bad rows', watermark: null });
    expect(await watermarkOf(db, 'gates')).toBeUndefined();
    await openedRun(db, 'gates', 'gates-2', null);
    await closeRun(db, { runId: 'gates-2', outcome: 'gate-not-passed', reason: 'worse', watermark: '2013-04' });
    expect(await watermarkOf(db, 'gates')).toEqual({ partition: '2013-04', runId: 'gates-2' });
  });

  it('is not moved by closing a run that has ended already', async () => {
    await openedRun(db, 'closed', 'closed-1', null);
    await closeRun(db, { runId: 'closed-1', outcome: 'cancelled', reason: 'cancelled', watermark: null });
    await closeRun(db, { runId: 'closed-1', outcome: 'gate-not-passed', reason: 'late', watermark: '2013-04' });
    expect(await runById(db, 'closed-1')).toMatchObject({ outcome: 'cancelled' });
    expect(await watermarkOf(db, 'closed')).toBeUndefined();
  });
});

describe('decisions on a promotion', () => {
  const promotion = (id: string) => ({
    id,
    workflowId: `promote/m/2/${id}`,
    model: 'm',
    version: 2,
    environment: 'production' as const,
    requestedBy: 'rita',
  });
  const decision = (promotionId: string, sequence: number, more: object = {}) => ({
    promotionId,
    sequence,
    actor: 'ann',
    decision: 'approve' as const,
    comment: '',
    via: 'update' as const,
    roles: ['approver'],
    counted: true,
    selfApproved: false,
    reason: 'approved',
    at: '2026-01-01T00:00:00.000Z',
    ...more,
  });

  it('are one row a sequence: what was ruled first stands', async () => {
    await openPromotion(db, promotion('p1'));
    const rows = await Promise.all(
      Array.from({ length: 5 }, (_, index) => recordDecision(db, decision('p1', 1, { reason: `ruling ${index}` }))),
    );
    expect(new Set(rows.map((row) => row.reason)).size).toBe(1);
    await recordDecision(db, decision('p1', 2, { actor: 'ben' }));
    expect((await decisionsOf(db, 'p1')).map((row) => row.actor)).toEqual(['ann', 'ben']);
  });

  it('let a version in only through a promotion that was approved and has not ended otherwise', async () => {
    const asked = { model: 'm', version: 2, environment: 'production' as const, promotionId: null };
    for (const state of ['rejected', 'expired', 'withdrawn', 'superseded', 'failed'] as const) {
      const id = `p2-${state}`;
      await openPromotion(db, promotion(id));
      expect(await promotionInto(db, { ...asked, promotionId: id })).toBeUndefined();
      await setPromotionState(db, id, 'waiting-for-approval', null, 0);
      expect(await promotionInto(db, { ...asked, promotionId: id })).toBeUndefined();
      await setPromotionState(db, id, state, null, 0);
      expect(await promotionInto(db, { ...asked, promotionId: id }), state).toBeUndefined();
    }
    await openPromotion(db, promotion('p2-back'));
    await setPromotionState(db, 'p2-back', 'rolling-out', null, 0);
    await setPromotionState(db, 'p2-back', 'rolled-back', null, 0);
    expect(await promotionInto(db, { ...asked, promotionId: 'p2-back' })).toBeUndefined();
    await openPromotion(db, promotion('p2'));
    await setPromotionState(db, 'p2', 'rolling-out', null, 0);
    expect(await promotionInto(db, asked)).toMatchObject({ id: 'p2' });
    expect(await promotionInto(db, { ...asked, environment: 'staging' })).toBeUndefined();
    expect(await promotionInto(db, { ...asked, version: 3 })).toBeUndefined();
  });
});
