import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createEvidenceActivities } from '../../../activities/promotion/evidence.js';
import { evidenceFacts } from '../../../activities/promotion/evidence-facts.js';
import { createRolloutActivities } from '../../../activities/rollout/rollouts.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { acquireLease } from '../../../db/lease-queries.js';
import {
  openPromotion,
  promotionById,
  setPromotionState,
  showEvidence,
} from '../../../db/promotion/promotion-queries.js';
import { writeRoute } from '../../../db/serving/route-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { floorDigest, floorSchema } from '../../../domain/promotion/floor.js';
import { leaseNames } from '../../../domain/ids.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import type { Evidence } from '../../../domain/promotion/promotion.js';
import { rulesDigest } from '../../../domain/promotion/rules-in-force.js';
import { registerRunAndVersion } from './registered-version.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
let deps: ActivityDependencies;
beforeAll(async () => {
  running = await startApi();
  const config = {
    home: running.uploadFolder,
    floors: { configured: {}, file: undefined },
    decisions: { trust: 'frontend' },
  };
  deps = { db: running.db, store: running.store, config } as unknown as ActivityDependencies;
});
afterAll(() => running.close());

const environment = 'production' as const;
const inActivity = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);
const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();

/** Version 1 serves; version 2 lacks a feature that callers send. */
async function withBreakingVersion(change: Pick<ModelDefinition, 'promotion'> | object = {}) {
  const { db } = running;
  const first = ownDefinition({ triggers: { schedules: [] } });
  const model = first.name;
  await applyDefinition(db, first, 'test');
  await registerRunAndVersion(running, first, 1, digestOf(`${model} 1`));
  const lease = await acquireLease(db, leaseNames.rollout(environment, model), 'test');
  if (!('grant' in lease)) throw new Error('the lease is held');
  const split = [{ version: 1, sharePct: 100 }];
  await writeRoute(db, { environment, model, split, reason: 'test', idempotencyKey: model, lease: lease.grant });
  const dropped = Object.keys(first.contract.features).find((name) => !first.evaluation.slices.includes(name)) ?? '';
  const { [dropped]: feature, ...features } = first.contract.features;
  // Nobody is asked: what keeps it back is the contract alone.
  const promotion = { ...first.promotion, approvals: { count: 0 } };
  const second = parseModelDefinition({ ...first, promotion, contract: { ...first.contract, features }, ...change });
  await applyDefinition(db, second, 'test');
  await registerRunAndVersion(running, second, 2, digestOf(`${model} 2`));
  return { model, first, second, dropped, feature };
}

/** What the effect says, though everybody has approved. */
async function planRollout({ model, second }: Awaited<ReturnType<typeof withBreakingVersion>>) {
  const { db } = running;
  const promotionId = `promotion-${model}`;
  await openPromotion(db, { id: promotionId, workflowId: 'w', model, version: 2, environment, requestedBy: 'rita' });
  const evidence = { model, version: 2, environment, champion: 1, policy: second.promotion, rollout: second.rollout };
  const floorSha256 = floorDigest(floorSchema.parse({}));
  const shown = { ...evidence, cardSha256: 'c', rulesSha256: rulesDigest(second), floorSha256 } as unknown as Evidence;
  await showEvidence(db, promotionId, { evidence: shown, evidenceSha256: digestOf(shown), expiresAt: null }, 0);
  expect(await evidenceFacts(deps).whyStale(await promotionById(db, promotionId))).toContain(
    'its contract is now breaking',
  );
  await setPromotionState(db, promotionId, 'rolling-out', null, 0);
  const asked = {
    rolloutId: `rollout-${model}`,
    workflowId: 'w',
    model,
    challenger: 2,
    environment,
    promotionId,
    alsoShadow: [],
  };
  return inActivity(() => createRolloutActivities(deps).planRollout(asked));
}

test('a version that drops what callers send is refused at the plan, when evidence is gathered, and at the effect', async () => {
  const world = await withBreakingVersion();
  const { model, second, dropped, feature } = world;
  const { definitions } = await running.api.apply({ definitions: [second], plan: true, actor: 'ada' });
  expect(definitions.find((one) => one.model === model)?.contracts).toMatchObject([
    { environment, against: [1], verdict: 'breaking', refused: expect.stringContaining(`contract.accepts.${dropped}`) },
  ]);

  const plan = await running.perdure('promote', `${model}@2`, '--to', environment, '--plan');
  expect(plan.stdout).toContain(`breaking: ${dropped} is not taken any more, and callers send it`);
  expect(plan.stdout).toMatch(new RegExp(`Refused: .*contract\\.accepts\\.${dropped}`));

  const promotionId = `evidence-${model}`;
  await openPromotion(running.db, {
    id: promotionId,
    workflowId: 'w',
    model,
    version: 2,
    environment,
    requestedBy: 'rita',
  });
  const { gatherEvidence } = createEvidenceActivities(deps);
  await expect(inActivity(() => gatherEvidence({ promotionId, model, version: 2, environment }))).rejects.toMatchObject(
    {
      code: 'promotion/refused',
      message: expect.stringContaining(`${dropped} is not taken any more`),
    },
  );
  await expect(planRollout(world)).rejects.toMatchObject({
    code: 'rollout/refused',
    message: expect.stringContaining(dropped),
  });

  // Taken and ignored for a time, it is compatible, and says so.
  const accepts = { [dropped]: { ...feature, from: undefined, until: '2999-12-31' } };
  const kind = parseModelDefinition(
    JSON.parse(JSON.stringify({ ...second, contract: { ...second.contract, accepts } })),
  );
  const applied = await running.api.apply({ definitions: [kind], plan: true, actor: 'ada' });
  expect(applied.definitions.find((one) => one.model === model)?.contracts).toMatchObject([
    { verdict: 'compatible', refused: null, changes: [{ change: 'dropped', breaking: false }] },
  ]);
});

test('with the policy’s consent it comes in at the declared moment, and not before', async () => {
  const rollout = { strategy: 'direct', reason: 'callers were told' };
  const policy = (from: string, until: string) => {
    const { promotion } = ownDefinition();
    return {
      rollout,
      promotion: {
        ...promotion,
        approvals: { count: 0 },
        breakingContract: { cutOver: { from, until, reason: 'told in January' } },
      },
    };
  };
  const now = await withBreakingVersion(policy(hours(-1), hours(1)));
  expect(await running.api.promotionPlan(now.model, 2, environment)).toMatchObject({
    contract: { verdict: 'breaking', notBefore: null },
    refused: null,
  });
  expect((await planRollout(now)).champion).toBe(1);

  const from = hours(1);
  const later = await withBreakingVersion(policy(from, hours(2)));
  expect(await running.api.promotionPlan(later.model, 2, environment)).toMatchObject({
    contract: { notBefore: from },
    refused: null,
  });
  await expect(planRollout(later)).rejects.toMatchObject({
    code: 'rollout/refused',
    message: expect.stringContaining(`begins at ${from}`),
  });
});
