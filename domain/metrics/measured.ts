import { z } from 'zod';

const finite = z.number().refine(Number.isFinite, 'must be finite');
const count = z.number().int();

/** By the key of `metricKey`. `null` where the metric is not defined on these rows (one class, no rows). */
export const metricsSchema = z.record(z.string(), finite.nullable());
export type Metrics = z.infer<typeof metricsSchema>;

export const intervalSchema = z.strictObject({ low: finite, high: finite, confidencePct: finite });
export type Interval = z.infer<typeof intervalSchema>;

export const scoredSchema = z.strictObject({
  rows: count,
  /** Of a binary label. */
  positives: count.optional(),
  /** Of a ranking: those with a relevant row, which are the ones that count. */
  groups: count.optional(),
  /** All rows have the same label: nothing shows that the model tells them apart. */
  oneLabel: z.literal(true).optional(),
  metrics: metricsSchema,
  intervals: z.record(z.string(), intervalSchema),
});
export type Scored = z.infer<typeof scoredSchema>;

export const comparisonSchema = z.strictObject({
  /** Champion's metrics on the same rows. */
  champion: metricsSchema,
  /** Challenger minus champion, with the interval of a paired bootstrap. */
  differences: z.record(z.string(), z.strictObject({ estimate: finite, interval: intervalSchema })),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** Points and tables for pictures, each where the task has it. */
export const evaluationSections = {
  /** Shares of the chances of yes in 20 equal bins of [0, 1]. */
  scoreHistogram: z.array(finite).optional(),
  /** Mean score, observed share and rows a bin; and the ROC curve (false and true positive rate). */
  calibrationCurve: z.array(z.strictObject({ meanScore: finite, observedShare: finite, rows: count })).optional(),
  rocCurve: z.array(z.strictObject({ falsePositiveRate: finite, truePositiveRate: finite })).optional(),
  /** Rows by label (a list each) and predicted class. */
  confusion: z.strictObject({ classes: z.array(z.string()), counts: z.array(z.array(count)) }).optional(),
  /** Quantiles of label less value. */
  residuals: z.array(z.strictObject({ probability: finite, value: finite })).optional(),
  /** Share of labels at or below each quantile. */
  coverage: z.array(z.strictObject({ quantile: finite, observedShare: finite })).optional(),
  /** Means over groups, of the first k rows. */
  gainCurve: z.array(z.strictObject({ k: count, recall: finite, ndcg: finite })).optional(),
  /** Lengths of the vectors of an embedding. */
  norms: z.strictObject({ least: finite, median: finite, greatest: finite }).optional(),
};
const sectionsSchema = z.object(evaluationSections);
export type EvaluationSections = z.infer<typeof sectionsSchema>;
