import { z } from 'zod';
import { metricsSchema } from '../metrics/measured.js';
import { intervalSchema } from '../metrics/measured.js';
import type { Interval } from '../metrics/measured.js';
import { evaluationSections } from '../metrics/measured.js';
import { type Evaluation } from '../evaluation/evaluation.js';
import { betterOf } from '../evaluation/better-of.js';
import type { EvaluationPolicy } from '../evaluation/evaluation-policy.js';
import { inReportOrder } from '../metrics/metric-catalogue.js';
import { foldSpreadSchema } from '../evaluation/fold-spread.js';
import { causeSchema, type Cause } from '../cause.js';
import type { GateResult } from '../evaluation/gate-result.js';
import { gateDecisionSchema } from '../evaluation/gate-result.js';
import { decideGates } from '../evaluation/gate.js';
import { rangeInWords, typeInWords } from '../data/feature/in-words.js';
import { taskOf } from '../tasks/task-of.js';
import { taskNameSchema } from '../tasks/task.js';
import { shortNumber } from '../text/short-number.js';
import type { ModelDefinition } from './model-definition.js';
import { lineageSchema, type Lineage } from './model-version.js';
import { actorSchema, modelNameSchema, sha256Schema, versionNumberSchema } from '../names.js';
import { partitionSchema } from '../partition.js';
import { describeSample, rowSampleSchema } from '../data/snapshot/row-sample.js';
import { describeSplit } from '../data/split-policy.js';
import { partitionUses, type PartitionUse } from '../data/snapshot/trained-partitions.js';
import type { SnapshotManifest } from '../data/snapshot/snapshot.js';

const measuredSchema = z.strictObject({
  /** The key, as in reports. */
  name: z.string(),
  value: z.number().nullable(),
  interval: intervalSchema.nullable(),
  /** The champion on the same rows, and the candidate's difference from it. */
  champion: z.number().nullable(),
  difference: z.strictObject({ estimate: z.number(), interval: intervalSchema }).nullable(),
});

const rangeSchema = z.strictObject({ from: z.string(), to: z.string(), rows: z.number().int() });

/**
 * What a reader must know of a model version before relying on it; sections after Mitchell et al. 2019, "Model Cards
 * for Model Reporting". Plain JSON.
 */
export const modelCardSchema = z.strictObject({
  cardVersion: z.literal(1),
  details: z.strictObject({
    model: modelNameSchema,
    version: versionNumberSchema,
    artifactSha256: sha256Schema,
    owner: actorSchema,
    createdAt: z.iso.datetime(),
    cause: causeSchema,
    algorithm: z.string(),
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  }),
  intendedUse: z.string(),
  inputs: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string(),
      nullable: z.boolean(),
      range: z.string(),
      description: z.string(),
    }),
  ),
  output: z.strictObject({
    label: z.string(),
    description: z.string(),
    /** Of the task `binary`. */
    threshold: z.number().nullable(),
    /** Cards of before tasks are of binary ones. */
    task: taskNameSchema.optional(),
  }),
  data: z.strictObject({
    snapshotSha256: sha256Schema,
    holdoutSha256: sha256Schema,
    trainedOn: rangeSchema,
    testedOn: rangeSchema,
    positives: z.number().int().optional(),
    groups: z.number().int().optional(),
    /** Absent where every row of the window is there. */
    sample: rowSampleSchema.optional(),
    /** What each partition was made from; cards of before have none. */
    partitions: z
      .array(
        z.strictObject({
          partition: partitionSchema,
          use: z.enum(partitionUses),
          rows: z.number().int(),
          sha256: sha256Schema,
          inputsSha256: sha256Schema,
        }),
      )
      .optional(),
  }),
  metrics: z.array(measuredSchema),
  slices: z.array(
    z.strictObject({
      feature: z.string(),
      level: z.string(),
      rows: z.number().int(),
      positives: z.number().int().optional(),
      metrics: metricsSchema,
    }),
  ),
  gates: gateDecisionSchema,
  calibration: evaluationSections.calibrationCurve,
  confusion: evaluationSections.confusion,
  residuals: evaluationSections.residuals,
  coverage: evaluationSections.coverage,
  gainCurve: evaluationSections.gainCurve,
  norms: evaluationSections.norms,
  /** Of a cross-validated version: metrics fold by fold. */
  folds: foldSpreadSchema.optional(),
  championVersion: z.number().int().nullable(),
  featureImportances: z.array(z.strictObject({ feature: z.string(), share: z.number() })),
  lineage: lineageSchema,
  caveats: z.array(z.string()),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

export interface ModelCardInput {
  definition: ModelDefinition;
  version: { version: number; artifactSha256: string; gates: GateResult[]; lineage: Lineage };
  cause: Cause;
  snapshot: SnapshotManifest;
  evaluation: Evaluation;
  training: Pick<ModelCard['details'], 'algorithm' | 'parameters'> & Pick<ModelCard, 'featureImportances'>;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/**
 * Writes the card of a version: the same input gives the same card.
 * @throws ZodError when a part is missing or not finite
 */
export function modelCard({
  definition,
  version,
  cause,
  snapshot,
  evaluation,
  training,
  createdAt,
}: ModelCardInput): ModelCard {
  const { overall, comparison } = evaluation;
  const gates = { results: version.gates, notAsked: decideGates(definition, evaluation).notAsked };
  return modelCardSchema.parse({
    cardVersion: 1,
    details: {
      model: definition.name,
      version: version.version,
      artifactSha256: version.artifactSha256,
      owner: definition.owner,
      createdAt,
      cause,
      algorithm: training.algorithm,
      parameters: training.parameters,
    },
    intendedUse: definition.description,
    inputs: inputsOf(definition),
    output: {
      label: definition.contract.label?.name ?? taskOf(definition).name,
      description: definition.contract.label?.description ?? '',
      threshold: evaluation.threshold,
      task: definition.task,
    },
    data: {
      snapshotSha256: version.lineage.snapshotSha256,
      holdoutSha256: evaluation.holdoutSha256,
      trainedOn: snapshot.trainedOn,
      testedOn: snapshot.testedOn,
      positives: overall.positives,
      groups: overall.groups,
      ...(snapshot.sample && { sample: snapshot.sample }),
      partitions: partitionsOf(snapshot),
    },
    metrics: inReportOrder(Object.keys(overall.metrics)).map((name) => ({
      name,
      value: overall.metrics[name] ?? null,
      interval: overall.intervals[name] ?? null,
      champion: comparison?.champion[name] ?? null,
      difference: comparison?.differences[name] ?? null,
    })),
    slices: evaluation.slices.map(({ feature, level, scored: { rows, positives, metrics } }) => ({
      feature,
      level,
      rows,
      positives,
      metrics,
    })),
    gates,
    calibration: evaluation.calibrationCurve,
    confusion: evaluation.confusion,
    residuals: evaluation.residuals,
    coverage: evaluation.coverage,
    gainCurve: evaluation.gainCurve,
    norms: evaluation.norms,
    ...(evaluation.folds && { folds: evaluation.folds }),
    championVersion: evaluation.championVersion,
    featureImportances: training.featureImportances,
    lineage: version.lineage,
    caveats: [
      ...madeElsewhereText(version.lineage),
      ...caveatsOf(definition, evaluation, gates, snapshot, training.featureImportances),
    ],
  } satisfies ModelCard);
}

function partitionsOf({ train, holdout }: SnapshotManifest): ModelCard['data']['partitions'] {
  const entry = ({ partition, rows, sha256, inputsSha256 }: SnapshotManifest['train'][number], use: PartitionUse) => ({
    ...{ partition, use, rows, sha256, inputsSha256 },
  });
  const tested = new Set(holdout.map((file) => `${file.partition} ${file.sha256}`));
  const isBoth = (file: SnapshotManifest['train'][number]) => tested.has(`${file.partition} ${file.sha256}`);
  return [
    ...train.map((file) => entry(file, isBoth(file) ? 'cross-validated' : 'trained')),
    ...holdout.filter(({ fold }) => fold === undefined).map((file) => entry(file, 'tested')),
  ];
}

function inputsOf({ contract }: ModelDefinition): ModelCard['inputs'] {
  return Object.entries(contract.features).map(([name, feature]) => {
    const { nullable, description = '' } = feature;
    return { name, type: typeInWords(feature), nullable, range: rangeInWords(feature), description };
  });
}

const calibrationErrorMax = 0.05;
const smallSliceRows = 200;
const dominatingShare = 0.5;

const madeElsewhereText = ({ imported }: Lineage): string[] =>
  imported === undefined
    ? []
    : [
        'It was made elsewhere: nobody here knows what it was trained on, and rows that it is tested on may have ' +
          'been among them.',
      ];

/** What a reader might overlook, found in the numbers. */
function caveatsOf(
  definition: ModelDefinition,
  evaluation: Evaluation,
  gates: ModelCard['gates'],
  snapshot: SnapshotManifest,
  importances: ModelCard['featureImportances'],
): string[] {
  const { overall, slices } = evaluation;
  const caveats = [testedText(snapshot), ...sampleText(snapshot)];
  for (const metric of taskOf(definition).headline) {
    const all = overall.metrics[metric] ?? null;
    const worse = slices.filter(
      ({ scored }) => all !== null && liesWorse(metric, definition.evaluation, scored.intervals[metric], all),
    );
    if (worse.length === 0) continue;
    const named = worse.map(
      ({ feature, level, scored }) => `${feature} ${level} (${short(scored.metrics[metric])}, ${scored.rows} rows)`,
    );
    caveats.push(
      `Its ${metric} is worse than over all rows (${short(all)}), by the whole confidence ` +
        `interval, for ${named.join(', ')}.`,
    );
  }
  const small = slices
    .filter(({ scored }) => scored.rows < smallSliceRows)
    .map(({ feature, level, scored }) => `${feature} ${level} (${scored.rows})`);
  if (small.length > 0) caveats.push(`Too few rows to judge, fewer than ${smallSliceRows}: ${small.join(', ')}.`);
  const calibration = overall.metrics.calibrationError ?? null;
  if (calibration !== null && calibration > calibrationErrorMax) {
    caveats.push(
      `Its scores are off by ${short(calibration)} on average as probabilities (expected calibration error): ` +
        'use them to rank, not as probabilities.',
    );
  }
  const [first] = importances;
  if (first && first.share > dominatingShare)
    caveats.push(
      `It relies on one feature: ${first.feature} has ${(100 * first.share).toFixed(0)} % of the importance.`,
    );
  for (const { name, reason } of gates.notAsked) caveats.push(`The gate "${name}" was not evaluated. ${reason}`);
  return caveats;
}

const sampleText = ({ sample }: SnapshotManifest): string[] =>
  sample === undefined
    ? []
    : [`Trained and tested on ${describeSample(sample)}: it may enter ${sample.environment} alone.`];

function testedText({ split, testedOn: { from, to, rows } }: SnapshotManifest): string {
  if (split === undefined || split.kind === 'last')
    return `Tested on ${from} up to, not including, ${to} alone: its performance in other seasons is unknown.`;
  const seen = split.by === 'time' ? '' : ' Rows of the same time trained it: what comes later may be harder.';
  return split.kind === 'share'
    ? `Tested on ${rows} rows: ${describeSplit(split)}.${seen}`
    : `Tested on ${rows} rows by models of its kind that had not seen them (${describeSplit(split)}); it was itself ` +
        `trained on all rows.${seen}`;
}

function liesWorse(metric: string, policy: EvaluationPolicy, interval: Interval | undefined, all: number): boolean {
  return interval !== undefined && (betterOf(metric, policy) === 'smaller' ? interval.low > all : interval.high < all);
}

function short(value: number | null = null): string {
  return value === null ? 'not defined' : shortNumber(value);
}
