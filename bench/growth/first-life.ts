import type { Database } from '../../db/connect.js';
import { recordSnapshot, recordPartition } from '../../db/data/partition-queries.js';
import { recordGateway, acknowledgeRoute } from '../../db/serving/gateway-queries.js';
import { acquireLease, releaseLease } from '../../db/lease-queries.js';
import {
  openPromotion,
  recordDecision,
  setPromotionState,
  showEvidence,
} from '../../db/promotion/promotion-queries.js';
import { rolloutOutlook } from '../../db/rollout/rollout-facts.js';
import { openRollout, recordLook, setRolloutState } from '../../db/rollout/rollout-queries.js';
import { storeId, writeRoute } from '../../db/serving/route-queries.js';
import { finishRunStep, openRun, startRunStep, updateRun } from '../../db/training/run-queries.js';
import { registerVersion } from '../../db/model/version-queries.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import { leaseNames, workflowIds } from '../../domain/ids.js';
import { judgeStage, type StageInput } from '../../domain/rollout/judge/judge.js';
import { definitionDigest, type ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Evidence } from '../../domain/promotion/promotion.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import { routeOfStage } from '../../domain/rollout/strategy-stages.js';
import { rolloutReason } from '../../domain/serving/route.js';
import { runSteps } from '../../domain/training/run.js';
import { manifestColumns, shapeDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import { evaluationOf, gates, metrics, observed } from './results.js';
import type { GrowthShape } from './shape.js';
import { monthsOf } from './shape.js';

/** Looks that the judge takes of a stage before it passes. */
const looksOfStage = 4;

export interface FirstLife {
  model: string;
  artifactSha256: string;
}

interface Place {
  db: Database;
  store: Pick<ObjectStore, 'put'>;
  shape: GrowthShape;
  definition: ModelDefinition;
  artifactSha256: string;
}

/**
 * What the first model leaves behind when its first two versions are trained, promoted and rolled out in every
 * environment, written by the product's own functions: the first version goes in directly, the second by a canary.
 * Every version of every model is a copy of these rows, see `copy-lives.ts`.
 */
export async function liveOnce(place: Place): Promise<FirstLife> {
  const { db, shape, definition, artifactSha256 } = place;
  await landMonths(place);
  for (const version of [1, 2]) {
    await train(place, version);
    for (const environment of shape.environments) await promote(place, environment, version);
  }
  for (const environment of shape.environments) await serve(db, environment, definition.name, 4);
  return { model: definition.name, artifactSha256 };
}

async function landMonths({ db, shape, definition }: Place): Promise<void> {
  for (const partition of monthsOf(shape)) {
    const inputsSha256 = digestOf({ partition });
    const reportKey = objectKeys.validationReport(definition.name, partition, inputsSha256);
    const file = {
      fileKey: objectKeys.snapshotFile(definition.name, inputsSha256),
      fileSha256: inputsSha256,
      bytes: 800_000,
    };
    await recordPartition(db, {
      ...{ model: definition.name, partition, inputsSha256, state: 'valid', reportKey, summary: 'valid', rows: 26_000 },
      ...{ positives: 5_000, profile: [], ...file },
    });
  }
}

const runIdOf = (model: string, version: number) => `run-${model}-${version}`;

async function train({ db, store, shape, definition, artifactSha256 }: Place, version: number): Promise<void> {
  const model = definition.name;
  const definitionSha256 = definitionDigest(definition);
  const months = monthsOf(shape);
  const [from = '', watermark = from] = [months[0], months.at(-1)];
  const file = {
    bytes: 800_000,
    rows: 26_000,
    positives: 5_000,
    inputsSha256: digestOf(model),
    sha256: digestOf(model),
  };
  const key = objectKeys.snapshotFile(model, file.sha256);
  const manifest = {
    ...{
      manifestVersion: 1 as const,
      model,
      shapeSha256: shapeDigest(definition),
      columns: manifestColumns(definition),
    },
    train: months.map((partition) => ({ partition, key, ...file })),
    holdout: [{ partition: watermark, key, ...file }],
    trainedOn: { from, to: watermark, rows: 26_000 * months.length },
    testedOn: { from: watermark, to: watermark, rows: 26_000 },
    watermark,
  };
  const snapshotSha256 = digestOf({ ...manifest, version });
  await recordSnapshot(db, {
    sha256: snapshotSha256,
    model,
    manifestKey: objectKeys.snapshotManifest(model, snapshotSha256),
    manifest,
  });
  const runId = runIdOf(model, version);
  const cause = { kind: 'schedule' as const, id: `monthly-${version}`, actor: 'system:schedule' };
  await openRun(db, {
    id: runId,
    workflowId: workflowIds.train(model, cause),
    model,
    definitionSha256,
    cause,
    until: null,
  });
  for (const step of runSteps.filter((one) => one !== 'register')) {
    const claim = await startRunStep(db, { runId, step, writeOrder: 0 });
    await finishRunStep(db, claim, `${step} of version ${version}`);
    if (step === 'gate') await updateRun(db, claim, { snapshotSha256, artifactSha256, metrics, gates });
  }
  const evaluation = evaluationOf(artifactSha256);
  const evaluationKey = objectKeys.evaluation(model, digestOf(evaluation));
  await store.put(evaluationKey, canonicalJson(evaluation));
  const inputs = Object.entries(definition.contract.features).map(([name, { type }]) => ({
    ...{ name, type: type === 'string' ? 'string' : 'float', shape: [-1, 1] },
  }));
  const outputs = [
    { name: 'label', type: 'int64', shape: [-1] },
    { name: 'probabilities', type: 'float', shape: [-1, 2] },
  ];
  await registerVersion(db, {
    ...{ model, runId, definitionSha256, snapshotSha256, metrics, gates, evaluationKey, threshold: 0.5, watermark },
    ...{ artifactSha256, artifactKey: objectKeys.artifact(artifactSha256), signature: { inputs, outputs } },
    lineage: {
      ...{ runId, snapshotSha256, definitionSha256, codeRevision: null, environmentSha256: digestOf('lock') },
      ...{ libraries: { lightgbm: '4.7.0', onnx: '1.23.2', onnxmltools: '1.16.0' }, seed: 42 },
    },
  });
}

async function promote(place: Place, environment: Environment, version: number): Promise<void> {
  const { db, definition, artifactSha256 } = place;
  const model = definition.name;
  const id = `promotion-${environment}-${model}-${version}`;
  const workflowId = workflowIds.promote(model, version, environment);
  await openPromotion(db, { id, workflowId, model, version, environment, requestedBy: 'system:schedule' });
  const definitionSha256 = definitionDigest(definition);
  const evidence: Evidence = {
    ...{ model, version, environment, champion: version === 1 ? null : version - 1, metrics, championMetrics: metrics },
    ...{ artifactSha256, snapshotSha256: digestOf('snapshot'), definitionSha256, evaluationKey: 'reports/x.json' },
    evaluationSha256: digestOf('evaluation'),
    gates: gates.map(({ name, outcome }) => ({ name, outcome })),
    ...{
      policy: definition.promotion,
      rollout: definition.rollout,
      cardSha256: digestOf(model),
      trainedBy: 'system:schedule',
    },
    before: null,
  };
  const evidenceSha256 = digestOf(evidence);
  await showEvidence(db, id, { evidence, evidenceSha256, expiresAt: null }, 0);
  await setPromotionState(db, id, 'waiting-for-approval', null, 0);
  await recordDecision(db, {
    ...{
      promotionId: id,
      sequence: 1,
      actor: 'ada@example.org',
      decision: 'approve',
      comment: 'better on every slice',
    },
    ...{
      via: 'update',
      roles: ['approver'],
      counted: true,
      selfApproved: false,
      reason: 'ada@example.org may approve',
    },
    ...{ evidenceSha256, at: new Date().toISOString() },
  });
  await setPromotionState(db, id, 'rolling-out', null, 0);
  await roll(place, environment, version, id);
  await setPromotionState(db, id, 'promoted', 'it serves', 0);
}

async function roll(
  { db, definition }: Place,
  environment: Environment,
  challenger: number,
  promotionId: string,
): Promise<void> {
  const model = definition.name;
  const id = `rollout-${environment}-${model}-${challenger}`;
  const outlook = await rolloutOutlook(db, { environment, model, challenger, alsoShadow: [] });
  const { settled } = outlook;
  const workflowId = workflowIds.rollout(environment, model);
  const champion = settled.parties.champion;
  await openRollout(db, { id, workflowId, environment, model, challenger, champion, promotionId, settled });
  const lease = await acquireLease(db, leaseNames.rollout(environment, model), id);
  if (!('grant' in lease)) throw new Error(`the rollout of ${model} in ${environment} has no lease`);
  for (const [at, stage] of settled.stages.entries()) {
    await setRolloutState(db, id, 'running', at, null, 0);
    await writeRoute(db, {
      ...{
        environment,
        model,
        ...routeOfStage(stage, settled.parties),
        reason: rolloutReason(model, challenger, stage.name),
      },
      ...{ idempotencyKey: `${id}/step-${at}`, lease: lease.grant },
      writtenBy: { kind: 'stage', rolloutId: id, actor: null, roles: null },
    });
    if (stage.comparison !== 'none') await look(db, id, settled, at);
  }
  await setRolloutState(db, id, 'completed', settled.stages.length - 1, null, 0);
  await releaseLease(db, lease.grant);
}

async function look(
  db: Database,
  rolloutId: string,
  { policy, stages, alphaOfStage }: SettledRollout,
  at: number,
): Promise<void> {
  const stage = stages[at];
  if (policy.strategy === 'direct' || stage === undefined) return;
  for (let number = 1; number <= looksOfStage; number += 1) {
    const requests = 400 * number;
    const inputs: StageInput = {
      ...{ policy: policy.judge, alpha: alphaOfStage, stage, outcome: null, horizon: null, coldRequests: 0 },
      ...{ champion: observed(requests * 19), challenger: observed(requests) },
    };
    await recordLook(db, {
      ...{ rolloutId, look: at * looksOfStage + number, stage: at, result: judgeStage(inputs) },
      inputs: { ...inputs, stageIndex: at, elapsedSeconds: 10 * number },
    });
  }
}

/** A gateway of each environment that has the newest route in force. */
async function serve(db: Database, environment: Environment, model: string, epoch: number): Promise<void> {
  const gatewayId = `growth-${environment}`;
  await recordGateway(db, { gatewayId, environment, url: 'http://127.0.0.1:1', bootId: 'growth' });
  await acknowledgeRoute(db, { gatewayId, environment, model, storeId: await storeId(db), epoch });
}
