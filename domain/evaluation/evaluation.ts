import { z } from 'zod';
import { sha256Schema } from '../names.js';

/**
 * Metrics of a binary classifier on one set of rows. `null` where the metric is not defined there (one class, no rows).
 */
export const metricNames = [
  'rocAuc',
  'prAuc',
  'logLoss',
  'brier',
  'calibrationError',
  'accuracy',
  'precision',
  'recall',
  'f1',
] as const;
export const metricNameSchema = z.enum(metricNames);
export type MetricName = z.infer<typeof metricNameSchema>;

/** For which metrics a smaller number is better. */
export const smallerIsBetter: ReadonlySet<MetricName> = new Set(['logLoss', 'brier', 'calibrationError']);

const finite = z.number().refine(Number.isFinite, 'must be finite');
export const metricsSchema = z.record(metricNameSchema, finite.nullable());
export type Metrics = z.infer<typeof metricsSchema>;

export const intervalSchema = z.strictObject({ low: finite, high: finite, confidencePct: finite });
export type Interval = z.infer<typeof intervalSchema>;

const scoredSchema = z.strictObject({
  rows: z.number().int(),
  positives: z.number().int(),
  metrics: metricsSchema,
  intervals: z.partialRecord(metricNameSchema, intervalSchema),
});
export type Scored = z.infer<typeof scoredSchema>;

const comparisonSchema = z.strictObject({
  /** Champion's metrics on the same rows. */
  champion: metricsSchema,
  /** Challenger minus champion, with the interval of a paired bootstrap. */
  differences: z.partialRecord(metricNameSchema, z.strictObject({ estimate: finite, interval: intervalSchema })),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** What one evaluation of a candidate on a frozen holdout found; the champion, where there is one, on the same rows. */
export const evaluationSchema = z.strictObject({
  holdoutSha256: sha256Schema,
  candidateSha256: sha256Schema,
  championSha256: sha256Schema.nullable(),
  championVersion: z.number().int().nullable(),
  /** Why the champion could not be measured on these rows. Absent where it was, or where there is none. */
  notCompared: z.string().optional(),
  /**
   * Digest of the files that hold the same rows with the champion's own features. Absent where it reads those of the
   * candidate.
   */
  championHoldoutSha256: sha256Schema.optional(),
  threshold: z.number(),
  overall: scoredSchema,
  comparison: comparisonSchema.nullable(),
  slices: z.array(
    z.strictObject({
      feature: z.string(),
      level: z.string(),
      scored: scoredSchema,
      comparison: comparisonSchema.nullable(),
    }),
  ),
  /**
   * Largest absolute difference between the native model's probability and ONNX over the whole holdout; null when it
   * was not measured again.
   */
  parityMaxDifference: finite.nullable(),
  /** Shares of the scores in 20 equal bins of [0, 1]. */
  scoreHistogram: z.array(finite),
  /**
   * Points for pictures: calibration (mean score, observed share, rows a bin) and ROC (false and true positive rate).
   */
  calibrationCurve: z.array(z.strictObject({ meanScore: finite, observedShare: finite, rows: z.number().int() })),
  rocCurve: z.array(z.strictObject({ falsePositiveRate: finite, truePositiveRate: finite })),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
