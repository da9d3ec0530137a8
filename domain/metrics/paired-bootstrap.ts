import type { Interval } from './measured.js';
import type { Measurer } from './measurer.js';
import { quantile } from '../statistics/quantile.js';
import { seededRandom } from '../statistics/random.js';

export interface BootstrapInput {
  candidate: Measurer;
  /** The champion on the same units in the same order; null where there is none. */
  champion: Measurer | null;
  /** `evaluation.bootstrapRounds` of the definition. */
  resamples: number;
  confidencePct: number;
  seed: number;
}

export interface BootstrapIntervals {
  candidate: Record<string, Interval>;
  /** Of candidate minus champion on the same resamples, for the metrics that both have; empty without a champion. */
  differences: Record<string, Interval>;
}

/**
 * An interval is given only when the metric was defined in at least this share of the resamples: one may hold a single
 * class.
 */
const definedShareMin = 0.95;

/**
 * Percentile intervals by the paired bootstrap (Efron and Tibshirani 1993, chapters 13 and 16): each resample draws as
 * many units (rows, or groups of a ranking) as there are, with replacement, and measures both models on it. Thresholds
 * are held fixed, so that their choice on the same rows is not part of the spread. Units are taken as independent. Time
 * grows with resamples × units: sorting is done once.
 */
export function pairedBootstrap({
  candidate,
  champion,
  resamples,
  confidencePct,
  seed,
}: BootstrapInput): BootstrapIntervals {
  const count = candidate.units;
  if (champion && champion.units !== count)
    throw new RangeError(`the champion has ${champion.units} rows, the candidate ${count}`);
  if (count === 0) return { candidate: {}, differences: {} };
  const random = seededRandom(seed);
  const drawn = new Uint16Array(count);
  const draws = { candidate: new Draws(resamples), differences: new Draws(resamples) };
  for (let resample = 0; resample < resamples; resample++) {
    drawn.fill(0);
    for (let draw = 0; draw < count; draw++) drawn[random.below(count)]!++;
    const own = candidate.measure(drawn);
    for (const key in own) draws.candidate.set(key, resample, own[key]!);
    if (!champion) continue;
    const others = champion.measure(drawn);
    for (const key in own) if (key in others) draws.differences.set(key, resample, own[key]! - others[key]!);
  }
  return {
    candidate: draws.candidate.intervals(confidencePct),
    differences: draws.differences.intervals(confidencePct),
  };
}

/** What each metric was in each resample. */
export class Draws {
  private readonly values = new Map<string, Float64Array>();

  constructor(private readonly resamples: number) {}

  set(key: string, resample: number, value: number): void {
    const values = this.values.get(key) ?? new Float64Array(this.resamples).fill(Number.NaN);
    values[resample] = value;
    this.values.set(key, values);
  }

  intervals(confidencePct: number): Record<string, Interval> {
    const tail = (1 - confidencePct / 100) / 2;
    const intervals: Record<string, Interval> = {};
    for (const [key, values] of this.values) {
      const defined = values.filter(Number.isFinite).sort();
      if (defined.length < definedShareMin * this.resamples) continue;
      intervals[key] = { low: quantile(defined, tail), high: quantile(defined, 1 - tail), confidencePct };
    }
    return intervals;
  }
}
