import { metricNames, type Interval, type MetricName } from '../evaluation/evaluation.js';
import { measure, type MeasuredModel } from './binary-metrics.js';
import { quantile } from './quantile.js';
import { seededRandom } from './random.js';

export interface BootstrapInput {
  candidate: MeasuredModel;
  /** The champion on the same rows in the same original order; null where there is none. */
  champion: MeasuredModel | null;
  /** `evaluation.bootstrapRounds` of the definition. */
  resamples: number;
  confidencePct: number;
  seed: number;
}

export interface BootstrapIntervals {
  candidate: Partial<Record<MetricName, Interval>>;
  /** Of candidate minus champion on the same resamples; empty without a champion. */
  differences: Partial<Record<MetricName, Interval>>;
}

/**
 * An interval is given only when the metric was defined in at least this share of the resamples: one may hold a single
 * class.
 */
const definedShareMin = 0.95;

/**
 * Percentile intervals by the paired bootstrap (Efron and Tibshirani 1993, chapters 13 and 16): each resample draws as
 * many rows as there are, with replacement, and measures both models on it. Thresholds are held fixed, so that their
 * choice on the same rows is not part of the spread. Rows are taken as independent. Time grows with resamples × rows:
 * sorting is done once.
 */
export function pairedBootstrap({
  candidate,
  champion,
  resamples,
  confidencePct,
  seed,
}: BootstrapInput): BootstrapIntervals {
  const count = candidate.ranked.rows.length;
  if (champion && champion.ranked.rows.length !== count)
    throw new RangeError(`the champion has ${champion.ranked.rows.length} rows, the candidate ${count}`);
  if (count === 0) return { candidate: {}, differences: {} };
  const random = seededRandom(seed);
  const drawn = new Uint16Array(count);
  const inRankOrder = new Uint16Array(count);
  const weigh = (model: MeasuredModel) => {
    const rows = model.ranked.rows;
    for (let rank = 0; rank < count; rank++) inRankOrder[rank] = drawn[rows[rank]!]!;
    return measure(model, inRankOrder);
  };
  const own = emptyMetrics(resamples);
  const differences = emptyMetrics(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    drawn.fill(0);
    for (let draw = 0; draw < count; draw++) drawn[random.below(count)]!++;
    const values = weigh(candidate);
    for (const name of metricNames) own[name][resample] = values[name];
    if (!champion) continue;
    const others = weigh(champion);
    for (const name of metricNames) differences[name][resample] = values[name] - others[name];
  }
  return {
    candidate: intervalsOf(own, confidencePct),
    differences: champion ? intervalsOf(differences, confidencePct) : {},
  };
}

type ResampledMetrics = Record<MetricName, Float64Array>;

function emptyMetrics(resamples: number): ResampledMetrics {
  const draws = () => new Float64Array(resamples);
  return {
    rocAuc: draws(),
    prAuc: draws(),
    logLoss: draws(),
    brier: draws(),
    calibrationError: draws(),
    accuracy: draws(),
    precision: draws(),
    recall: draws(),
    f1: draws(),
  };
}

function intervalsOf(draws: ResampledMetrics, confidencePct: number): Partial<Record<MetricName, Interval>> {
  const tail = (1 - confidencePct / 100) / 2;
  const intervals: Partial<Record<MetricName, Interval>> = {};
  for (const name of metricNames) {
    const defined = draws[name].filter(Number.isFinite).sort();
    if (defined.length < definedShareMin * draws[name].length) continue;
    intervals[name] = { low: quantile(defined, tail), high: quantile(defined, 1 - tail), confidencePct };
  }
  return intervals;
}
