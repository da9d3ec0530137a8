import { createHash } from 'node:crypto';
import { recordSnapshot } from '../../db/data/partition-queries.js';
import { applyDefinition } from '../../db/model/definition-queries.js';
import type { Database } from '../../db/connect.js';
import { openRun, startRunStep, updateRun } from '../../db/training/run-queries.js';
import { registerVersion } from '../../db/model/version-queries.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import type { Metrics } from '../../domain/metrics/measured.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { parseModelDefinition } from '../../domain/model/parse-definition.js';
import { type ModelDefinition, type ModelDefinitionInput } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import { logisticGraph, model as onnxModel } from '../integration/onnx/onnx-builder.js';
import type { Strategy } from './fault-plan.js';

export const drillModel = 'drill';
export const drillEnvironment = 'production';

/** Margins so wide that an honest challenger passes with a few dozen requests: what is tried here is not the judge. */
const wide = [
  { metric: 'errorShare' as const, marginPct: 45, harmPct: 95 },
  { metric: 'slowShare' as const, limitMs: 5000, marginPct: 45, harmPct: 95 },
];
const quick = { minRequests: 15, minSeconds: 0.5, maxSeconds: 600 };
const judged = { lookEverySeconds: 1, judge: { alpha: 0.5, metrics: wide }, onInconclusive: 'extend' as const };
const patient = { acknowledgeWithinSeconds: 90 };

/**
 * Policies whose stages last a second or two. `better` is what an A/B test asks of the probability: the version that it
 * tries is really better.
 */
export const drillPolicies = (
  better: 'higher-is-better' | 'lower-is-better' = 'higher-is-better',
): Record<Strategy, ModelDefinitionInput['rollout']> => ({
  canary: {
    strategy: 'canary',
    steps: [20, 60, 100].map((sharePct) => ({ sharePct, ...quick })),
    ...judged,
    ...patient,
  },
  'blue-green': { strategy: 'blue-green', bake: quick, ...judged, ...patient },
  shadow: { strategy: 'shadow', samplePct: 100, ...quick, steps: [{ sharePct: 100, ...quick }], ...judged, ...patient },
  ab: {
    strategy: 'ab',
    challengerPct: 50,
    minSeconds: 0.5,
    outcome: {
      metric: 'value',
      name: 'promise',
      from: 'probability',
      min: 0,
      max: 1,
      direction: better,
      margin: 0.02,
      harm: 0.1,
    },
    horizon: { kind: 'sequential', observations: 100_000, maxSeconds: 600 },
    onNoWinner: 'pause',
    ...judged,
    ...patient,
  },
  direct: { strategy: 'direct', reason: 'nobody judges in this drill', ...patient },
});

export function drillDefinition(rollout: ModelDefinitionInput['rollout'], name = drillModel): ModelDefinition {
  return parseModelDefinition({
    name,
    description: 'Two features, one formula: the model of the fault drills.',
    owner: 'drills',
    contract: {
      entity: ['id'],
      eventTime: 'at',
      label: { name: 'late', type: 'boolean' },
      features: { carrier: { type: 'string', nullable: true }, x: { type: 'number', nullable: true } },
    },
    data: {
      tables: {
        rows: {
          columns: { id: 'string', at: 'timestamp', carrier: 'string', x: 'number', late: 'boolean' },
          key: ['id'],
        },
      },
      base: 'rows',
      window: { kind: 'expanding', from: '2026-01' },
    },
    evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
    promotion: { environments: ['production'], approvals: { count: 2, roles: ['approver'] } },
    rollout,
    triggers: { schedules: [] },
  });
}

/** A request for one row, as the gateways' REST and gRPC want it. */
export const drillRow = (turn: number) => ({
  carrier: turn % 2 === 0 ? 'AA' : 'UA',
  x: ((turn * 7919) % 6001) / 1000 - 3,
});

const metrics: Metrics = {
  ...{
    rocAuc: 0.9,
    prAuc: 0.8,
    logLoss: 0.3,
    brier: 0.1,
    calibrationError: 0.01,
    accuracy: 0.9,
    precision: 0.8,
    recall: 0.7,
    f1: 0.75,
  },
};

/**
 * What was trained on knows what is held out, so that no version is compared with another on rows: the evidence is that
 * of the run.
 */
const part = {
  partition: '2026-01',
  key: 'none',
  sha256: digestOf('rows'),
  bytes: 1,
  rows: 1,
  positives: 1,
  inputsSha256: digestOf('inputs'),
};

/**
 * Registers a version as a training run would leave it: rows by the product's own queries, a real ONNX file and a card
 * in the store.
 */
export async function registerDrillVersion(
  { db, store }: { db: Database; store: ObjectStore },
  definition: ModelDefinition,
  bytes: Uint8Array,
): Promise<number> {
  const model = definition.name;
  const { sha256: definitionSha256 } = await applyDefinition(db, definition, 'drill');
  const manifest: SnapshotManifest = {
    ...{
      manifestVersion: 1,
      model,
      shapeSha256: digestOf('shape'),
      columns: [],
      train: [part],
      holdout: [part],
      watermark: '2026-01',
    },
    trainedOn: { from: '2026-01', to: '2026-02', rows: 1000 },
    testedOn: { from: '2026-02', to: '2026-03', rows: 1000 },
  };
  const snapshotSha256 = digestOf(manifest);
  await recordSnapshot(db, {
    sha256: snapshotSha256,
    model,
    manifestKey: objectKeys.snapshotManifest(model, snapshotSha256),
    manifest,
  });
  const artifactSha256 = createHash('sha256').update(bytes).digest('hex');
  await store.put(objectKeys.artifact(artifactSha256), bytes);
  const runId = `drill-${model}-${artifactSha256.slice(0, 12)}-${definitionSha256.slice(0, 12)}`;
  const cause = { kind: 'person', id: runId, actor: 'tom@local' } as const;
  await openRun(db, { id: runId, workflowId: `train/${model}/${runId}`, model, definitionSha256, cause, until: null });
  const gates = [
    {
      name: 'ranks',
      metric: 'rocAuc' as const,
      outcome: 'pass' as const,
      value: 0.9,
      interval: null,
      bound: 'at least 0.5',
      reason: '',
    },
  ];
  const claim = await startRunStep(db, { runId, step: 'train', writeOrder: 0 });
  await updateRun(db, claim, { snapshotSha256, artifactSha256, metrics, gates });
  const evaluation: Evaluation = {
    ...{
      holdoutSha256: part.sha256,
      candidateSha256: artifactSha256,
      championSha256: null,
      championVersion: null,
      threshold: 0.5,
    },
    overall: {
      rows: 1000,
      positives: 500,
      metrics,
      intervals: { rocAuc: { low: 0.88, high: 0.92, confidencePct: 95 } },
    },
    ...{
      comparison: null,
      slices: [],
      parityMaxDifference: 0,
      scoreHistogram: [1],
      calibrationCurve: [],
      rocCurve: [],
    },
  };
  const evaluationKey = objectKeys.evaluation(model, digestOf(evaluation));
  await store.put(evaluationKey, canonicalJson(evaluation));
  const tensor = (name: string, type: string, shape: number[]) => ({ name, type, shape });
  const { version } = await registerVersion(db, {
    ...{
      model,
      runId,
      definitionSha256,
      snapshotSha256,
      artifactSha256,
      metrics,
      gates,
      evaluationKey,
      threshold: 0.5,
    },
    artifactKey: objectKeys.artifact(artifactSha256),
    signature: {
      inputs: [tensor('carrier', 'string', [-1, 1]), tensor('x', 'float32', [-1, 1])],
      outputs: [tensor('label', 'int64', [-1]), tensor('probabilities', 'float32', [-1, 2])],
    },
    lineage: {
      ...{
        runId,
        snapshotSha256,
        definitionSha256,
        codeRevision: null,
        environmentSha256: digestOf('lock'),
        libraries: {},
        seed: 1,
      },
    },
    watermark: null,
  });
  await store.put(objectKeys.modelCard(model, version, 'md'), `# ${model}@${version}\n`);
  await store.put(objectKeys.modelCard(model, version, 'json'), JSON.stringify({ model, version }));
  return version;
}

/** A model that says `sigmoid(intercept + x + effect of the carrier)`; two intercepts make two files. */
export const drillOnnx = (intercept: number): Uint8Array => onnxModel(logisticGraph({ intercept }));
