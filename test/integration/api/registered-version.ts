import { createHash } from 'node:crypto';
import { recordSnapshot } from '../../../db/data/partition-queries.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { finishRunStep, openRun, startRunStep, updateRun } from '../../../db/training/run-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { canonicalJson, digestOf } from '../../../domain/canonical-json.js';
import type { Metrics } from '../../../domain/metrics/measured.js';
import type { Evaluation } from '../../../domain/evaluation/evaluation.js';
import {
  definitionDigest,
  type ModelDefinition,
  type ModelDefinitionInput,
} from '../../../domain/model/model-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { SnapshotManifest } from '../../../domain/data/snapshot/snapshot.js';
import { promotionPolicySchema } from '../../../domain/promotion/promotion-policy.js';
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

const between = (low: number, high: number) => ({ low, high, confidencePct: 95 });
const intervals: Evaluation['overall']['intervals'] = { rocAuc: between(0.9, 0.93), logLoss: between(0.22, 0.26) };

/** A model with one version whose artifact lies in the store; it asks for promotions by its own policy. */
export async function registerFirstVersion(
  running: TestApi,
  promotion: ModelDefinitionInput['promotion'],
): Promise<{ model: string }> {
  const definition = ownDefinition({ triggers: { schedules: [] }, promotion: promotionPolicySchema.parse(promotion) });
  await applyDefinition(running.db, definition, 'test');
  const artifact = Buffer.from(`the model of ${definition.name}`);
  const artifactSha256 = createHash('sha256').update(artifact).digest('hex');
  await running.store.put(objectKeys.artifact(artifactSha256), artifact);
  await registerRunAndVersion(running, definition, 1, artifactSha256);
  return { model: definition.name };
}

/** Writes, by the product's own queries, what a run that registered a version leaves behind. */
export async function registerRunAndVersion(
  { db, store }: TestApi,
  definition: ModelDefinition,
  version: number,
  artifactSha256: string,
): Promise<void> {
  const model = definition.name;
  const definitionSha256 = definitionDigest(definition);
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
  await recordSnapshot(db, {
    sha256: snapshotSha256,
    model,
    manifestKey: objectKeys.snapshotManifest(model, snapshotSha256),
    manifest,
  });
  await openRun(db, {
    id: runId,
    workflowId: `train/${model}/data-${version}`,
    model,
    definitionSha256,
    cause: { kind: 'data', id: manifest.watermark, actor: 'tom@example.org' },
    until: null,
  });
  const claim = await startRunStep(db, { runId, step: 'snapshot', writeOrder: 0 });
  await finishRunStep(db, claim, `${manifest.trainedOn.rows} rows`);
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
  await updateRun(db, claim, { snapshotSha256, artifactSha256, metrics, gates });
  const evaluation: Evaluation = {
    holdoutSha256: sha('holdout'),
    candidateSha256: artifactSha256,
    championSha256: null,
    championVersion: null,
    threshold: 0.5,
    overall: { rows: 23611, positives: 5000, metrics, intervals },
    comparison: null,
    slices: [
      {
        feature: 'origin',
        level: 'JFK',
        scored: { rows: 8000, positives: 1500, metrics: { ...metrics, rocAuc: 0.91 }, intervals },
        comparison: null,
      },
    ],
    parityMaxDifference: 4e-7,
    scoreHistogram: [1],
    calibrationCurve: [],
    rocCurve: [],
  };
  const evaluationKey = objectKeys.evaluation(model, digestOf(evaluation));
  await store.put(evaluationKey, canonicalJson(evaluation));
  await registerVersion(db, {
    ...{ model, runId, definitionSha256, snapshotSha256, metrics, gates, evaluationKey, threshold: 0.5 },
    artifactSha256,
    artifactKey: objectKeys.artifact(artifactSha256),
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
