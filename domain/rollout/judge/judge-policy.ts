import { z } from 'zod';
import { columnNameSchema } from '../../names.js';
import { lossNames } from '../../tasks/task.js';

/**
 * The chance that this metric alone may be wrongly found worse, out of the policy's alpha; what metrics do not claim is
 * shared evenly by the others.
 */
const alpha = z.number().gt(0).max(0.5).optional();
const percentagePoints = z.number().gt(0).max(100);
const direction = z.enum(['lower-is-better', 'higher-is-better']);

/** Requests without an answer. */
const errorShareSchema = z.strictObject({
  metric: z.literal('errorShare'),
  /** By how much the challenger's share may exceed the champion's, in percentage points. */
  marginPct: percentagePoints.default(2),
  /** The harm that a rollout must be able to see, in percentage points above the champion. Greater than the margin. */
  harmPct: percentagePoints.default(10),
  alpha,
});

/** Answers slower than a limit. */
const slowShareSchema = z.strictObject({
  metric: z.literal('slowShare'),
  /** Rounded up to a bound of the gateways' latency histogram. */
  limitMs: z.number().positive().default(100),
  marginPct: percentagePoints.default(5),
  harmPct: percentagePoints.default(20),
  alpha,
});

/**
 * Kolmogorov-Smirnov distance between the two score distributions: an effect size, for an honestly better model shifts
 * the scores too.
 */
const scoreDistanceSchema = z.strictObject({
  metric: z.literal('scoreDistance'),
  /** Largest accepted distance, 0 to 1. */
  margin: z.number().gt(0).max(1).default(0.3),
  harm: z.number().gt(0).max(1).default(0.6),
  alpha,
});

/** The mean of any value of a prediction: an expression over the prediction log. */
const valueSchema = z.strictObject({
  metric: z.literal('value'),
  name: columnNameSchema,
  /** Over the features and `probability`, `label` (as predicted) and `latency_ms`. */
  from: z.string().min(1).max(2000),
  /** Bounds of the value; what lies outside is clipped to them. */
  min: z.number(),
  max: z.number(),
  direction,
  /** By how much the challenger's mean may be worse, in the value's unit. */
  margin: z.number().positive(),
  harm: z.number().positive(),
  alpha,
});

/** Loss against labels, on the predictions whose label has arrived. */
const qualitySchema = z.strictObject({
  metric: z.literal('quality'),
  /**
   * `error`: share of wrong labels; `brier`: squared error of the probability, of several classes half the sum over
   * them; `logLoss` in nats, clipped at 10; of a regression `absoluteError`, `squaredError` and `pinball`. Lower is
   * better.
   */
  loss: z.enum(lossNames),
  /** Of a regression, in the loss's own unit: a greater one counts as this, for the bounds need bounded values. */
  max: z.number().positive().optional(),
  /** Of `pinball`: which quantile of `contract.output`. */
  quantile: z.number().gt(0).lt(1).optional(),
  margin: z.number().positive(),
  harm: z.number().positive(),
  /** Labels that each version needs before it is judged. */
  minLabels: z.number().int().min(1).default(200),
  alpha,
});

/**
 * Of a model that says yes or no: the share of positive outcomes among the predictions that a version answered: what
 * people did, for A/B tests. Of a regression the mean label, between bounds.
 */
const outcomeSchema = z.strictObject({
  metric: z.literal('outcome'),
  direction,
  /** Bounds of a label that is a number; what lies outside is clipped to them. */
  min: z.number().optional(),
  max: z.number().optional(),
  /** In percentage points; with bounds, in percent of the range between them. */
  marginPct: percentagePoints.default(1),
  harmPct: percentagePoints.default(5),
  minLabels: z.number().int().min(1).default(200),
  alpha,
});

export const judgedMetricSchema = z
  .discriminatedUnion('metric', [
    errorShareSchema,
    slowShareSchema,
    scoreDistanceSchema,
    valueSchema,
    qualitySchema,
    outcomeSchema,
  ])
  .superRefine((metric, context) => {
    const [margin, harm, path] =
      'marginPct' in metric ? [metric.marginPct, metric.harmPct, 'harmPct'] : [metric.margin, metric.harm, 'harm'];
    if (harm <= margin)
      context.addIssue({ code: 'custom', path: [path], message: `must be greater than the margin (${margin})` });
    if (metric.metric === 'value' && metric.max <= metric.min)
      context.addIssue({ code: 'custom', path: ['max'], message: `must be greater than min (${metric.min})` });
  });
export type JudgedMetric = z.infer<typeof judgedMetricSchema>;

/** A metric's name in looks, plans and messages. */
export function metricName(
  metric: Pick<JudgedMetric, 'metric'> & { name?: string; loss?: string; quantile?: number | undefined },
): string {
  if (metric.metric === 'value') return `value:${metric.name}`;
  if (metric.metric !== 'quality') return metric.metric;
  return `quality:${metric.loss}${metric.quantile === undefined ? '' : `@${metric.quantile}`}`;
}

/** Whether a metric is read from the prediction log and the labels, not from what gateways counted. */
export const isLogged = (metric: JudgedMetric): boolean => ['value', 'quality', 'outcome'].includes(metric.metric);

/**
 * Whether other minutes tell the versions apart in it, too: other minutes bring other rows, and with them other scores,
 * values and labels.
 */
export const isCounted = ({ metric }: JudgedMetric): boolean => metric === 'errorShare' || metric === 'slowShare';

const defaultMetrics = [{ metric: 'errorShare' }, { metric: 'slowShare' }, { metric: 'scoreDistance' }] as const;

/** Bounds on effect sizes, challenger against champion on the same minutes. */
export const judgePolicySchema = z
  .strictObject({
    /**
     * Chance that a rollout is wrongly rolled back, over all its stages, metrics and looks, however often one looks.
     */
    alpha: z.number().gt(0).max(0.5).default(0.05),
    metrics: z
      .array(judgedMetricSchema)
      .min(1)
      .max(20)
      .prefault([...defaultMetrics]),
    /**
     * What is done about a stage that cannot see a named harm at the present traffic: lengthen it, or refuse the
     * rollout.
     */
    unseenHarm: z.enum(['stretch', 'refuse']).default('stretch'),
  })
  .superRefine(({ alpha: whole, metrics }, context) => {
    const names = metrics.map(metricName);
    for (const [index, name] of names.entries())
      if (names.indexOf(name) !== index)
        context.addIssue({ code: 'custom', path: ['metrics', index], message: `${name} is named twice` });
    if (!metrics.some(isCounted))
      context.addIssue({
        code: 'custom',
        path: ['metrics'],
        message:
          'must include errorShare or slowShare: nothing else can be compared once the challenger takes all traffic',
      });
    const claimed = metrics.reduce((sum, metric) => sum + (metric.alpha ?? 0), 0);
    const others = metrics.some((metric) => metric.alpha === undefined);
    if (claimed > whole + 1e-12 || (others && claimed >= whole - 1e-12))
      context.addIssue({
        code: 'custom',
        path: ['metrics'],
        message: `the metrics' own alphas (${claimed}) use up judge.alpha (${whole}): nothing is left for the others`,
      });
  });
export type JudgePolicy = z.infer<typeof judgePolicySchema>;

/** Each metric's share of `alpha`, which may be a stage's part of the policy's; in the order of the metrics. */
export function alphaShares(
  { alpha: whole, metrics }: Pick<JudgePolicy, 'alpha' | 'metrics'>,
  alphaOfStage: number,
): number[] {
  const scale = alphaOfStage / whole;
  const claimed = metrics.reduce((sum, metric) => sum + (metric.alpha ?? 0), 0);
  const open = metrics.filter((metric) => metric.alpha === undefined).length;
  return metrics.map((metric) => scale * (metric.alpha ?? (whole - claimed) / open));
}
