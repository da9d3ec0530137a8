import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createReviewActivities } from '../../../activities/rollout/reviews.js';
import { createRolloutLookActivities } from '../../../activities/rollout/rollout-looks.js';
import { createRouteActivities } from '../../../activities/serving/routes.js';
import { createRolloutActivities } from '../../../activities/rollout/rollouts.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition, keepDefinition, retireModel, rulesInForce } from '../../../db/model/definition-queries.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { openPromotion, setPromotionState, showEvidence } from '../../../db/promotion/promotion-queries.js';
import { rolloutWithLooks } from '../../../db/rollout/rollout-lists.js';
import { rolloutOutlook } from '../../../db/rollout/rollout-facts.js';
import { routeHistory } from '../../support/route-history.js';
import { recordLook, rolloutById } from '../../../db/rollout/rollout-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { insertServingWindows } from '../../../db/serving/serving-windows.js';
import { leaseNames } from '../../../domain/ids.js';
import type { LeaseGrant } from '../../../domain/lease-holder.js';
import type { StageJudgement } from '../../../domain/rollout/judge/judge.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import type { Evidence } from '../../../domain/promotion/promotion.js';
import { floorDigest, floorSchema } from '../../../domain/promotion/floor.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { rulesDigest } from '../../../domain/promotion/rules-in-force.js';
import { latencyBoundsMs, scoreBins, type ServingWindow } from '../../../domain/serving/serving-window.js';
import { addWindows } from '../../../domain/serving/serving-totals.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';
import { openTestBucket } from '../data/test-bucket.js';
import { openedRun } from '../db/registered-run.js';
import { changeFacts, createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let home: string;
let deps: ActivityDependencies;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-judging-'));
  deps = {
    db,
    store,
    config: {
      home,
      accessFile: 'access.json',
      floors: { configured: {}, file: undefined },
      decisions: { trust: 'frontend' },
    },
    cache: createFileCache(store, path.join(home, 'objects')),
  } as unknown as ActivityDependencies;
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const environment = 'production' as const;

/** A rollout of version 2 against version 1, its first stage in force. */
async function begun(rollout: Record<string, unknown>) {
  const model = `m-${randomUUID().slice(0, 8)}`;
  const definition = parseModelDefinition({
    ...flightDelay,
    name: model,
    rollout,
    promotion: { approvals: { count: 0 } },
  });
  await applyDefinition(db, definition, 'test');
  for (const version of [1, 2]) {
    const run = await openedRun(db, model, `${model}-run-${version}`, null);
    const { sha256 } = await applyDefinition(db, definition, 'test');
    await registerVersion(db, { ...run, definitionSha256: sha256 });
  }
  const held = await acquireLease(db, leaseNames.rollout(environment, model), `holder|${model}`);
  if (!('grant' in held)) throw new Error('the lease is held');
  const lease: LeaseGrant = held.grant;
  const activities = {
    ...createRolloutActivities(deps),
    ...createRouteActivities(deps),
    ...createRolloutLookActivities(deps),
    ...createReviewActivities(deps),
  };
  const write = { environment, model, lease, reason: 'test' };
  await activities.writeRoute({
    ...write,
    target: { split: [{ version: 1, sharePct: 100 }] },
    idempotencyKey: `${model}/before`,
  });
  const promotionId = `promotion-${model}`;
  await openPromotion(db, { id: promotionId, workflowId: 'w', model, version: 2, environment, requestedBy: 'rita' });
  const evidence = {
    model,
    version: 2,
    environment,
    champion: 1,
    policy: definition.promotion,
    rollout: definition.rollout,
  };
  const shown = {
    ...evidence,
    rulesSha256: rulesDigest(definition),
    floorSha256: floorDigest(floorSchema.parse({})),
  } as unknown as Evidence;
  await showEvidence(db, promotionId, { evidence: shown, evidenceSha256: 'e', expiresAt: null }, 0);
  await setPromotionState(db, promotionId, 'rolling-out', null, 0);
  const rolloutId = `rollout-${model}`;
  const plan = () =>
    activities.planRollout({
      rolloutId,
      workflowId: 'w',
      model,
      challenger: 2,
      environment,
      promotionId,
      alsoShadow: [],
    });
  const enter = (stage: number) =>
    activities.writeRoute({ ...write, target: { rolloutId, stage }, idempotencyKey: `${rolloutId}/step-${stage}` });
  const lookAt = (look: number, stage: number, epoch: number) =>
    activities.lookAtRollout({ rolloutId, environment, model, look, stage, epoch, elapsedSeconds: 10 });
  return { model, rolloutId, activities, plan, enter, lookAt, definition, promotionId, shown, lease };
}

let windows = 0;
interface Traffic {
  model: string;
  version: number;
  epoch: number;
  requests: number;
  errors?: number;
  more?: Partial<ServingWindow>;
}
/** What a gateway counted: answers in 5 ms, scores spread evenly. */
async function serve({ model, version, epoch, requests, errors = 0, more = {} }: Traffic): Promise<void> {
  const answered = requests - errors;
  const latency = [...latencyBoundsMs.map((bound) => (bound === 5 ? answered : 0)), 0];
  const scores = Array.from(
    { length: scoreBins },
    (_, bin) => Math.floor(answered / scoreBins) + (bin < answered % scoreBins ? 1 : 0),
  );
  const at = new Date().toISOString();
  const window: ServingWindow = {
    ...{ id: `w-${(windows += 1)}`, gatewayId: 'g', environment, model, version, epoch, role: 'split', cold: false },
    ...{ from: at, to: at, requests, errors, latency, scores },
    ...more,
  };
  await insertServingWindows(db, [window]);
}

const canary = {
  strategy: 'canary',
  steps: [
    { sharePct: 20, minRequests: 100 },
    { sharePct: 100, minRequests: 100 },
  ],
};

describe('a look of the judge', () => {
  it('counts what the split gave under the stage’s epoch: no other epoch, no tester, no cold start', async () => {
    const { model, plan, enter, lookAt, rolloutId } = await begun(canary);
    await plan();
    const { epoch } = await enter(0);
    await serve({ model, version: 1, epoch, requests: 4000 });
    await serve({ model, version: 2, epoch, requests: 900 });
    for (const more of [{ epoch: epoch - 1 }, { role: 'override' }, { cold: true }] as const)
      await serve({ model, version: 2, epoch, requests: 500, errors: 500, more });
    expect(await lookAt(1, 0, epoch)).toMatchObject({ verdict: 'pass', exhausted: false });
    const { looks } = await rolloutWithLooks(db, rolloutId);
    expect(looks[0]?.inputs).toMatchObject({
      challenger: { requests: 900, errors: 0 },
      coldRequests: 500,
      stageIndex: 0,
    });
    expect(looks[0]?.result.leftOut).toContain('500');
  });

  it('asked for again answers what it said first, whatever was counted since', async () => {
    const { model, plan, enter, lookAt } = await begun(canary);
    await plan();
    const { epoch } = await enter(0);
    await serve({ model, version: 1, epoch, requests: 4000 });
    await serve({ model, version: 2, epoch, requests: 900 });
    const first = await lookAt(1, 0, epoch);
    await serve({ model, version: 2, epoch, requests: 5000, errors: 5000 });
    expect((await lookAt(1, 0, epoch)).verdict).toBe(first.verdict);
    expect((await lookAt(2, 0, epoch)).verdict).toBe('fail');
  });

  it('at full share compares with what the champion did before', async () => {
    const { model, plan, enter, lookAt } = await begun(canary);
    await plan();
    const { epoch: first } = await enter(0);
    await serve({ model, version: 1, epoch: first, requests: 4000 });
    await serve({ model, version: 2, epoch: first, requests: 900 });
    const { epoch } = await enter(1);
    await serve({ model, version: 2, epoch, requests: 2000 });
    expect((await lookAt(1, 1, epoch)).verdict).toBe('pass');
  });

  it('of a shadow counts its answers to copies', async () => {
    const { model, plan, enter, lookAt } = await begun({ strategy: 'shadow', minRequests: 100 });
    await plan();
    const { epoch } = await enter(0);
    await serve({ model, version: 1, epoch, requests: 2000 });
    expect((await lookAt(1, 0, epoch)).verdict).toBe('no-data');
    await serve({ model, version: 2, epoch, requests: 2000, more: { role: 'shadow' } });
    expect((await lookAt(2, 0, epoch)).verdict).toBe('pass');
  });
});

describe('the plan of a rollout', () => {
  it('is settled once: another definition, applied while it runs, changes nothing', async () => {
    const { plan, definition, rolloutId } = await begun(canary);
    const first = await plan();
    await applyDefinition(
      db,
      parseModelDefinition({ ...definition, rollout: { strategy: 'direct', reason: 'hurry' } }),
      'test',
    );
    expect(await plan()).toEqual({ ...first, changes: [] });
    expect((await rolloutById(db, rolloutId))?.settled?.policy.strategy).toBe('canary');
  });

  it('is refused where another version became champion since the promotion was approved', async () => {
    const { plan, rolloutId, promotionId, shown } = await begun(canary);
    await showEvidence(
      db,
      promotionId,
      { evidence: { ...shown, champion: 7 }, evidenceSha256: 'e', expiresAt: null },
      0,
    );
    await expect(plan()).rejects.toMatchObject({ code: 'promotion/stale' });
    expect(await rolloutById(db, rolloutId)).toBeUndefined();
  });

  it.each([
    ['promotion', { promotion: { approvals: { count: 3 } } }],
    ['rollout', { rollout: { strategy: 'direct', reason: 'hurry' } }],
    ['evaluation', { evaluation: { ...flightDelay.evaluation, threshold: 0.4 } }],
  ])(
    'is refused where %s of the applied definition was changed since the promotion was approved',
    async (place, change) => {
      const { plan, rolloutId, definition } = await begun(canary);
      await applyDefinition(db, parseModelDefinition({ ...definition, ...change }), 'test');
      await expect(plan()).rejects.toMatchObject({ code: 'promotion/stale', message: expect.stringContaining(place) });
      expect(await rolloutById(db, rolloutId)).toBeUndefined();
    },
  );

  it('is made once for an approval: another rollout needs another', async () => {
    const { plan, activities, model, promotionId } = await begun(canary);
    await plan();
    const again = {
      rolloutId: `again-${model}`,
      workflowId: 'w',
      model,
      challenger: 2,
      environment,
      promotionId: null,
      alsoShadow: [],
    };
    await expect(activities.planRollout(again)).rejects.toMatchObject({
      code: 'promotion/not-approved',
      message: expect.stringContaining('valid for one rollout'),
    });
    await expect(activities.planRollout({ ...again, promotionId })).rejects.toMatchObject({
      code: 'promotion/not-approved',
    });
  });

  it('is refused for a version that was taken back since its promotion was approved', async () => {
    const { plan, activities, model, lease } = await begun(canary);
    const split = (version: number) => ({ split: [{ version, sharePct: 100 }] });
    const write = { environment, model, lease, reason: 'complaints' };
    await activities.writeRoute({ ...write, target: split(2), idempotencyKey: `${model}/hand` });
    await activities.writeRoute({
      ...write,
      target: split(1),
      by: { actor: 'ann' },
      idempotencyKey: `${model}/rollback`,
    });
    await expect(plan()).rejects.toMatchObject({
      code: 'promotion/stale',
      message: expect.stringContaining('taken back'),
    });
    const last = (await routeHistory(db, model)).at(-1);
    expect(last?.writtenBy).toEqual({ kind: 'rollback', rolloutId: null, actor: 'ann', roles: ['approver', 'owner'] });
  });

  it('is refused where the decisions that approved it do not hold any more', async () => {
    const { plan, promotionId, shown } = await begun(canary);
    const policy = { ...shown.policy, approvals: { ...shown.policy.approvals, count: 1 } };
    await applyDefinition(
      db,
      parseModelDefinition({ ...(await rulesInForce(db, shown.model)).definition, promotion: policy }),
      'test',
    );
    const rules = (await rulesInForce(db, shown.model)).definition;
    await showEvidence(
      db,
      promotionId,
      { evidence: { ...shown, policy, rulesSha256: rulesDigest(rules) }, evidenceSha256: 'e', expiresAt: null },
      0,
    );
    await expect(plan()).rejects.toMatchObject({
      code: 'promotion/stale',
      message: expect.stringContaining('do not satisfy the policy'),
    });
  });

  it('is that of the applied definition, whatever the version was trained by', async () => {
    const { plan, model, rolloutId } = await begun(canary);
    const { definition } = await rulesInForce(db, model);
    const smuggled = await keepDefinition(db, {
      ...definition,
      rollout: { ...definition.rollout, strategy: 'direct', reason: 'mine' } as never,
    });
    await changeFacts(
      database.ownerUrl,
      (sql) => sql`update versions set definition_sha256 = ${smuggled} where model = ${model} and version = 2`,
    );
    await plan();
    expect((await rolloutById(db, rolloutId))?.settled?.policy.strategy).toBe('canary');
  });

  it('is refused for a model that was retired, or whose definition was changed where it is stored', async () => {
    const retired = await begun(canary);
    await retireModel(db, retired.model);
    await expect(retired.plan()).rejects.toMatchObject({
      code: 'state/conflict',
      message: expect.stringContaining('was retired at'),
    });
    const changed = await begun(canary);
    const { sha256, definition } = await rulesInForce(db, changed.model);
    const body = JSON.stringify({ ...definition, promotion: { ...definition.promotion, remindAfterHours: 1 } });
    await changeFacts(
      database.ownerUrl,
      (sql) => sql`update definitions set body = ${body}::text::jsonb where sha256 = ${sha256}`,
    );
    await expect(changed.plan()).rejects.toMatchObject({ code: 'artifact/digest-mismatch' });
  });

  it('is stretched where the present traffic cannot show the named harm in time, and refused where the policy says so', async () => {
    const slow = { ...canary, steps: [{ sharePct: 1, maxSeconds: 20 }, { sharePct: 100 }] };
    const trickle = async (model: string) => {
      const [from, to] = [new Date(Date.now() - 100_000).toISOString(), new Date().toISOString()];
      await serve({ model, version: 1, epoch: 1, requests: 1000, more: { from, to } });
    };
    const stretched = await begun(slow);
    await trickle(stretched.model);
    const { stages, changes } = await stretched.plan();
    expect(stages[0]?.maxSeconds).toBeGreaterThan(100);
    expect(changes).toHaveLength(1);
    const refused = await begun({ ...slow, judge: { unseenHarm: 'refuse' } });
    await trickle(refused.model);
    await expect(refused.plan()).rejects.toMatchObject({
      code: 'rollout/refused',
      message: expect.stringContaining('maxSeconds'),
    });
    expect(await rolloutById(db, refused.rolloutId)).toBeUndefined();
  });
});

describe('what a metric of the labels needs', () => {
  it('is taken from the holdout before any rollout has read it, and from the last one that did', async () => {
    const judge = {
      metrics: [{ metric: 'errorShare' }, { metric: 'quality', loss: 'error', margin: 0.05, harm: 0.2 }],
    };
    const { model, rolloutId, plan } = await begun({ ...canary, judge });
    await plan();
    await serve({ model, version: 1, epoch: 1, requests: 1000 });
    const outlook = () => rolloutOutlook(db, { environment, model, challenger: 2, alsoShadow: [] });
    const needed = async () => (await outlook()).sampleSizes[0]?.metrics.find((one) => one.metric === 'quality:error');
    const before = await needed();
    expect(before).toMatchObject({ basis: 'holdout' });
    expect(before?.requestsToSeeHarm).toBeGreaterThanOrEqual(200);
    const champion = { ...addWindows([]), requests: 500, samples: { 'quality:error': { count: 250, sum: 25 } } };
    const { settled } = (await rolloutById(db, rolloutId)) ?? {};
    const inputs = {
      policy: settled?.policy.strategy === 'canary' ? settled.policy.judge : null,
      outcome: null,
      champion,
    };
    await recordLook(db, { rolloutId, look: 1, stage: 0, inputs, result: { verdict: 'pass' } as StageJudgement });
    // Half of the requests get a label, and 200 labels are asked of each version.
    const after = await needed();
    expect(after).toMatchObject({ basis: 'counted' });
    expect(after?.requestsToSeeHarm).toBeGreaterThanOrEqual(400);
  });
});

describe('late labels', () => {
  const lateLabels = { metric: { metric: 'quality', loss: 'error', margin: 0.05, harm: 0.2 }, coveragePct: 50 };

  /** Ships predictions of a version, and labels for some; `wrong` of them disagree. */
  async function log(
    model: string,
    version: number,
    epoch: number,
    count: number,
    labelled: number,
    wrong: number,
  ): Promise<void> {
    const at = new Date();
    const began = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const day = at.toISOString().slice(0, 10);
    const folder = path.join(home, 'segments');
    await mkdir(folder, { recursive: true });
    const ids = Array.from({ length: count }, (_, index) => `${model}-${version}-${index}`);
    const common = {
      row: 0,
      request_id: null,
      at: at.toISOString(),
      environment,
      model,
      version,
      epoch,
      role: 'split',
      key_hash: null,
    };
    const predictions = ids.map((id) => ({
      prediction_id: id,
      ...common,
      latency_ms: 1,
      features: {},
      probability: 0.9,
      label: true,
    }));
    const labels = ids.slice(0, labelled).map((id, index) => ({
      prediction_id: id,
      model,
      label: index >= wrong,
      observed_at: at.toISOString(),
      received_at: at.toISOString(),
    }));
    for (const [kind, rows] of [
      ['predictions', predictions],
      ['labels', labels],
    ] as const) {
      if (rows.length === 0) continue;
      const segment = `${began}-b00t-${String((windows += 1)).padStart(6, '0')}`;
      const [source, parquet] = [path.join(folder, `${segment}.ndjson`), path.join(folder, `${segment}.parquet`)];
      await writeFile(source, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
      await segmentToParquet(kind, source, parquet, folder);
      const key =
        kind === 'predictions'
          ? objectKeys.predictions(environment, model, day, segment)
          : objectKeys.labels(model, day, segment);
      await store.put(key, { file: parquet });
    }
  }

  it.each([
    ['are too few', 300, 100, 15, { decided: false, word: { verdict: 'no-data' } }],
    ['show the challenger to be worse', 300, 300, 150, { decided: true, word: { verdict: 'fail' } }],
    ['show it to be no worse', 2000, 1900, 190, { decided: true, word: { verdict: 'pass' } }],
  ] as const)('that %s are judged so', async (_, predictions, labelled, wrong, expected) => {
    const { model, plan, enter, activities, rolloutId } = await begun({ ...canary, lateLabels });
    await plan();
    const { epoch } = await enter(0);
    await log(model, 1, epoch, predictions, labelled, Math.round(labelled / 10));
    await log(model, 2, epoch, predictions, labelled, wrong);
    expect(await activities.lookAtLabels({ rolloutId, look: 1, last: false })).toMatchObject(expected);
  });

  it('are given a last word once, and the first stands', async () => {
    const { plan, activities, rolloutId } = await begun({ ...canary, lateLabels });
    await plan();
    const word = { verdict: 'pass', reason: 'right', coveragePct: 90, at: '2026-01-01T00:00:00.000Z' } as const;
    await activities.recordLastWord({ rolloutId, word });
    await activities.recordLastWord({ rolloutId, word: { ...word, verdict: 'fail' } });
    expect((await rolloutById(db, rolloutId))?.lateReview).toEqual(word);
  });
});
