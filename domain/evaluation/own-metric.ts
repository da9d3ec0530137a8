import { z } from 'zod';
import type { MetricSpec } from '../metrics/metric.js';
import type { Comparison, Interval, Scored } from '../metrics/measured.js';
import type { Evaluation } from './evaluation.js';

/** Such a name is no key that takes a `k`, a class or a quantile. */
export const ownMetricNameSchema = z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, {
  message: 'must begin with a small letter and hold letters and digits, at most 40',
});

/** A metric of the team's own: one number over rows of the holdout, by an SQL aggregate. */
export const ownMetricSchema = z.strictObject({
  /** Over `label`, the outputs of the task by name, and features; `docs/metrics.md` lists them. */
  sql: z.string().trim().min(1).max(10_000),
  direction: z.enum(['lower-is-better', 'higher-is-better']),
  /** Between which numbers it lies; without bound when absent. A gate that they make impossible is refused. */
  least: z.number().optional(),
  greatest: z.number().optional(),
});
export type OwnMetric = z.infer<typeof ownMetricSchema>;

export type OwnMetrics = Readonly<Record<string, OwnMetric>>;

export const ownMetricSpecs = (metrics: OwnMetrics = {}): MetricSpec[] =>
  Object.entries(metrics).map(([name, { direction, least = -Infinity, greatest = Infinity }]) => ({
    ...{ name, title: name, least, greatest },
    better: direction === 'lower-is-better' ? 'smaller' : 'greater',
  }));

/** What was measured on some rows, by the metric's name. */
export interface OwnMeasured {
  values: Record<string, number | null>;
  intervals: Record<string, Interval>;
  /** Of the champion; null where there is none to compare with. */
  champion: Record<string, number | null> | null;
  differences: Record<string, Interval>;
}

/** The rows that were measured: all, or those of a level. */
export type MeasuredPlace = { feature: string; level: string } | null;

/** The evaluation with the team's own metrics beside those of the task. */
export function withOwnMetrics(
  evaluation: Evaluation,
  found: readonly { place: MeasuredPlace; measured: OwnMeasured }[],
): Evaluation {
  const of = (feature: string | null, level: string | null) =>
    found.find(({ place }) => (place?.feature ?? null) === feature && (place?.level ?? null) === level)?.measured;
  const overall = joined(evaluation.overall, evaluation.comparison, of(null, null));
  return {
    ...evaluation,
    overall: overall.scored,
    comparison: overall.comparison,
    slices: evaluation.slices.map((slice) => ({
      ...slice,
      ...joined(slice.scored, slice.comparison, of(slice.feature, slice.level)),
    })),
  };
}

function joined(scored: Scored, comparison: Comparison | null, measured: OwnMeasured | undefined) {
  if (measured === undefined) return { scored, comparison };
  const { values, intervals, champion, differences } = measured;
  const compared = Object.entries(differences).flatMap(([key, interval]) => {
    const { [key]: own = null } = values;
    const { [key]: other = null } = champion ?? {};
    return own === null || other === null ? [] : [[key, { estimate: own - other, interval }] as const];
  });
  return {
    scored: {
      ...scored,
      metrics: { ...scored.metrics, ...values },
      intervals: { ...scored.intervals, ...intervals },
    },
    comparison: comparison && {
      champion: { ...comparison.champion, ...champion },
      differences: { ...comparison.differences, ...Object.fromEntries(compared) },
    },
  };
}
