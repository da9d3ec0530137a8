import { acquireLease } from '../../../db/lease-queries.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { acknowledgeRoute, recordGateway } from '../../../db/serving/gateway-queries.js';
import {
  openPromotion,
  recordDecision,
  setPromotionState,
  showEvidence,
} from '../../../db/promotion/promotion-queries.js';
import { openRollout, recordLook, setRolloutState } from '../../../db/rollout/rollout-queries.js';
import { rolloutOutlook } from '../../../db/rollout/rollout-facts.js';
import { routeOf, storeId, writeRoute } from '../../../db/serving/route-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { leaseNames } from '../../../domain/ids.js';
import type { Evidence } from '../../../domain/promotion/promotion.js';
import { changeFacts } from '../../support/test-database.js';
import { metrics, registerRunAndVersion } from './registered-version.js';
import { ownDefinition, type TestApi } from './start-api.js';

const sha = (text: string) => digestOf(text);

/** Writes, by the product's own queries, what two runs, a promotion and a canary leave behind. */
export async function registerModel(running: TestApi) {
  const { db } = running;
  const definition = ownDefinition({ triggers: { schedules: [] } });
  const model = definition.name;
  const { sha256: definitionSha256 } = await applyDefinition(db, definition, 'test');

  for (const version of [1, 2]) await registerRunAndVersion(running, definition, version, sha(`artifact ${version}`));

  const lease = await acquireLease(db, leaseNames.rollout('production', model), 'test');
  if (!('grant' in lease)) throw new Error('the lease is not free');
  const route = (key: string, split: { version: number; sharePct: number }[]) =>
    writeRoute(db, {
      environment: 'production',
      model,
      split,
      reason: key,
      idempotencyKey: `${model} ${key}`,
      lease: lease.grant,
    });
  const written = await route('first version', [{ version: 1, sharePct: 100 }]);
  await changeFacts(
    running.ownerUrl,
    (sql) => sql`update routes set at = at - interval '1 hour' where model = ${model}`,
  );
  const first = await routeOf(db, 'production', model);
  if (first?.epoch !== written.epoch) throw new Error('the route is not there');
  const second = await route('canary step 1', [
    { version: 1, sharePct: 95 },
    { version: 2, sharePct: 5 },
  ]);

  const promotionId = `promotion-${model}`;
  const evidence: Evidence = {
    ...{
      model,
      version: 2,
      environment: 'production',
      champion: 1,
      metrics,
      championMetrics: { ...metrics, rocAuc: 0.9 },
    },
    artifactSha256: sha('artifact 2'),
    snapshotSha256: sha('snapshot'),
    definitionSha256,
    evaluationKey: 'reports/x.json',
    evaluationSha256: sha('evaluation'),
    gates: [{ name: 'ranks delays', outcome: 'pass' }],
    policy: definition.promotion,
    rollout: definition.rollout,
    cardSha256: digestOf({ model, version: 2 }),
    trainedBy: 'tom',
    before: null,
  };
  await openPromotion(db, {
    id: promotionId,
    workflowId: `promote/${model}/2/production`,
    model,
    version: 2,
    environment: 'production',
    requestedBy: 'system:data',
  });
  await showEvidence(
    db,
    promotionId,
    { evidence, evidenceSha256: digestOf(evidence), expiresAt: new Date('2099-01-01T00:00:00Z') },
    0,
  );
  await setPromotionState(db, promotionId, 'waiting-for-approval', null, 0);
  await recordDecision(db, {
    promotionId,
    sequence: 1,
    actor: 'eve',
    decision: 'approve',
    comment: 'me',
    via: 'signal',
    roles: [],
    counted: false,
    selfApproved: false,
    reason: 'eve has none of the roles approver',
    at: '2026-01-01T00:00:00.000Z',
  });

  const rolloutId = `rollout-${model}`;
  await openRollout(db, {
    id: rolloutId,
    workflowId: `rollout/production/${model}`,
    environment: 'production',
    model,
    challenger: 2,
    champion: 1,
    promotionId,
    settled: (await rolloutOutlook(db, { environment: 'production', model, challenger: 2, alsoShadow: [] })).settled,
  });
  await setRolloutState(db, rolloutId, 'running', 0, null, 0);
  await recordLook(db, {
    rolloutId,
    look: 1,
    stage: 0,
    inputs: {},
    result: {
      verdict: 'no-data',
      metrics: [],
      championFrom: 'same-minutes',
      waitsFor: '12 of 300 requests',
      leftOut: null,
      winner: null,
      atHorizon: false,
      latency: { champion: null, challenger: null },
    },
  });

  await recordGateway(db, {
    gatewayId: `gateway-${model}`,
    environment: 'production',
    url: 'http://127.0.0.1:1',
    bootId: 'b',
  });
  await acknowledgeRoute(db, {
    gatewayId: `gateway-${model}`,
    environment: 'production',
    model,
    storeId: await storeId(db),
    epoch: second.epoch,
  });
  return { model, promotionId, rolloutId, routes: [first, second], evidenceSha256: digestOf(evidence) };
}
