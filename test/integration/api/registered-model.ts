import { acquireLease } from '../../../db/lease-queries.js';
import { recordSnapshot } from '../../../db/data-queries.js';
import { applyDefinition } from '../../../db/definition-queries.js';
import { acknowledgeRoute, recordGateway } from '../../../db/gateway-queries.js';
import { openPromotion, recordDecision, setPromotionState, showEvidence } from '../../../db/promotion-queries.js';
import { openRollout, recordLook, setRolloutState } from '../../../db/rollout-queries.js';
import { rolloutOutlook } from '../../../db/rollout-facts.js';
import { storeId, writeRoute } from '../../../db/route-queries.js';
import { finishRunStep, openRun, registerVersion, startRunStep, updateRun } from '../../../db/run-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import type { Evaluation, Metrics } from '../../../domain/evaluation.js';
import { leaseNames } from '../../../domain/ids.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { Evidence } from '../../../domain/promotion.js';
import type { SnapshotManifest } from '../../../domain/snapshot.js';
import { ownDefinition, type TestApi } from './start-api.js';

const sha = (text: string) => digestOf(text);

export const metrics: Metrics = {
  rocAuc: 0.9276,
  prAuc: 0.8,
  logLoss: 0.2389,
  brier: 0.07,
  calibrationError: 0.01,
  accuracy: 0.9,
  precision: 0.8,
  recall: 0.6,
  f1: 0.69,
};

/** Writes, by the product's own queries, what two runs, a promotion and a canary leave behind. */
export async function registerModel({ db, store }: TestApi) {
  const definition = ownDefinition({ triggers: { schedules: [] } });
  const model = definition.name;
  const { sha256: definitionSha256 } = await applyDefinition(db, definition, 'test');

  for (const version of [1, 2]) {
    const runId = `run-${version}-${model}`;
    const manifest: SnapshotManifest = {
      manifestVersion: 1,
      model,
      shapeSha256: sha('shape'),
      columns: [],
      train: [],
      holdout: [],
      trainedOn: { from: '2013-01', to: `2013-0${version + 1}`, rows: 26398 * version },
      testedOn: { from: `2013-0${version + 1}`, to: `2013-0${version + 2}`, rows: 23611 },
      watermark: `2013-0${version + 1}`,
    };
    const snapshotSha256 = digestOf(manifest);
    await recordSnapshot(db, { sha256: snapshotSha256, model, manifestKey: objectKeys.snapshotManifest(model, snapshotSha256), manifest });
    await openRun(db, {
      id: runId,
      workflowId: `train/${model}/data-${version}`,
      model,
      definitionSha256,
      cause: { kind: 'data', id: manifest.watermark },
      until: null,
    });
    await startRunStep(db, runId, 'snapshot');
    await finishRunStep(db, runId, 'snapshot', `${manifest.trainedOn.rows} rows`);
    const gates = [
      {
        name: 'ranks delays',
        metric: 'rocAuc' as const,
        outcome: 'pass' as const,
        value: 0.9276,
        interval: null,
        bound: 'at least 0.8',
        reason: '0.9276 is at least 0.8',
      },
    ];
    await updateRun(db, runId, { snapshotSha256, artifactSha256: sha(`artifact ${version}`), metrics, gates });
    const evaluation: Evaluation = {
      holdoutSha256: sha('holdout'),
      candidateSha256: sha(`artifact ${version}`),
      championSha256: null,
      championVersion: null,
      threshold: 0.5,
      overall: { rows: 23611, positives: 5000, metrics, intervals: {} },
      comparison: null,
      slices: [
        {
          feature: 'origin',
          level: 'JFK',
          scored: { rows: 8000, positives: 1500, metrics: { ...metrics, rocAuc: 0.91 }, intervals: {} },
          comparison: null,
        },
      ],
      parityMaxDifference: 4e-7,
      scoreHistogram: [1],
      calibrationCurve: [],
      rocCurve: [],
    };
    const evaluationKey = objectKeys.evaluation(model, digestOf(evaluation));
    await store.put(evaluationKey, JSON.stringify(evaluation));
    await registerVersion(db, {
      ...{ model, runId, definitionSha256, snapshotSha256, metrics, gates, evaluationKey },
      artifactSha256: sha(`artifact ${version}`),
      artifactKey: objectKeys.artifact(sha(`artifact ${version}`)),
      signature: {
        inputs: [{ name: 'carrier', type: 'string', shape: [-1, 1] }],
        outputs: [{ name: 'label', type: 'int64', shape: [-1] }],
      },
      lineage: {
        runId,
        snapshotSha256,
        definitionSha256,
        codeRevision: 'abc',
        environmentSha256: sha('lock'),
        libraries: { lightgbm: '4.7.0' },
        seed: 42,
      },
      watermark: manifest.watermark,
    });
    await store.put(objectKeys.modelCard(model, version, 'md'), `# ${model}@${version}\n\nA card.\n`);
    await store.put(objectKeys.modelCard(model, version, 'json'), JSON.stringify({ model, version }));
  }

  const lease = await acquireLease(db, leaseNames.rollout('production', model), 'test');
  if (!('grant' in lease)) throw new Error('the lease is not free');
  const route = (key: string, split: { version: number; sharePct: number }[]) =>
    writeRoute(db, { environment: 'production', model, split, reason: key, idempotencyKey: `${model} ${key}`, lease: lease.grant });
  const written = await route('first version', [{ version: 1, sharePct: 100 }]);
  const [moved] = await db.sql<{ at: string }[]>`update routes set at = at - interval '1 hour' where model = ${model} returning at`;
  if (!moved) throw new Error('the route is not there');
  const first = { ...written, at: new Date(moved.at).toISOString() };
  const second = await route('canary step 1', [
    { version: 1, sharePct: 95 },
    { version: 2, sharePct: 5 },
  ]);

  const promotionId = `promotion-${model}`;
  const evidence: Evidence = {
    ...{ model, version: 2, environment: 'production', champion: 1, metrics, championMetrics: { ...metrics, rocAuc: 0.9 } },
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
  await showEvidence(db, promotionId, { evidence, evidenceSha256: digestOf(evidence), expiresAt: new Date('2099-01-01T00:00:00Z') });
  await setPromotionState(db, promotionId, 'waiting-for-approval', null);
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
  await setRolloutState(db, rolloutId, 'running', 0, null);
  await recordLook(db, {
    rolloutId,
    look: 1,
    step: 0,
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

  await recordGateway(db, { gatewayId: `gateway-${model}`, environment: 'production', url: 'http://127.0.0.1:1', bootId: 'b' });
  await acknowledgeRoute(db, {
    gatewayId: `gateway-${model}`,
    environment: 'production',
    model,
    storeId: await storeId(db),
    epoch: second.epoch,
  });
  return { model, promotionId, rolloutId, routes: [first, second], evidenceSha256: digestOf(evidence) };
}
