import { metricNames, type Comparison, type Evaluation, type Metrics, type Scored } from '../evaluation/evaluation.js';
import type { EvaluationPolicy } from '../evaluation/evaluation-policy.js';
import { bestF1Threshold } from './best-f1-threshold.js';
import { measure, measuredModel, metricsOf } from './binary-metrics.js';
import { calibrationCurve } from './calibration.js';
import { pairedBootstrap } from './paired-bootstrap.js';
import { rankScores, type RankedScores } from './ranked-scores.js';
import { rocCurve } from './roc-curve.js';
import type { SliceLevels } from './slice-levels.js';

export interface ScoredRows {
  /** 1 for a positive row, else 0. */
  labels: Uint8Array;
  /** The candidate's probability of the positive class, 0 to 1. */
  candidate: Float64Array;
  /** The champion's on the same rows, null where there is none. */
  champion: Float64Array | null;
}

export interface ScoredHoldout extends ScoredRows {
  slices: readonly SliceLevels[];
  seed: number;
  /** The threshold that the champion is served with; by default chosen as for the candidate. */
  championThreshold?: number | undefined;
}

export type ScoresEvaluation = Pick<
  Evaluation,
  'threshold' | 'overall' | 'comparison' | 'slices' | 'scoreHistogram' | 'calibrationCurve' | 'rocCurve'
>;

/** Levels with fewer rows than this get no interval, unless a gate asks for fewer. */
const sliceRowsMin = 200;
/**
 * Levels that are reported of one feature, the largest first; all that have enough rows for an interval are, however
 * many.
 */
const levelsMax = 100;
const histogramBins = 20;

/**
 * Everything that an evaluation says of scores and labels. The champion is measured at the threshold that it is served
 * with. With the threshold `best-f1` the candidate's is the one that is best for it, chosen on all rows and used for
 * every slice (0.5 where there is no positive). The same input gives the same result.
 * @throws RangeError when a score is not finite
 */
export function evaluateScores(
  holdout: ScoredHoldout,
  policy: EvaluationPolicy,
  onProgress: (donePct: number) => void = () => {},
): ScoresEvaluation {
  const ranked = rankScores(holdout.labels, holdout.candidate);
  const thresholdOf = (scores: RankedScores) =>
    policy.threshold === 'best-f1' ? (bestF1Threshold(scores) ?? 0.5) : policy.threshold;
  const thresholds = {
    candidate: thresholdOf(ranked),
    champion:
      holdout.championThreshold ?? (holdout.champion ? thresholdOf(rankScores(holdout.labels, holdout.champion)) : 0.5),
  };
  const settings = { thresholds, confidencePct: policy.confidencePct, seed: holdout.seed };
  const overall = evaluateRows(holdout, { ...settings, resamples: policy.bootstrapRounds });
  const parts = holdout.slices.length + 1;
  onProgress(100 / parts);
  const slices: Evaluation['slices'] = [];
  for (const [index, slice] of holdout.slices.entries()) {
    const enough = Math.min(
      sliceRowsMin,
      ...policy.gates.filter((gate) => gate.slice === slice.feature).map((gate) => gate.minRows),
    );
    for (const { level, code, rows } of largestLevels(slice, enough)) {
      const resamples = rows >= enough ? policy.bootstrapRounds : 0;
      slices.push({
        feature: slice.feature,
        level,
        ...evaluateRows(rowsOf(holdout, slice, code), { ...settings, resamples }),
      });
    }
    onProgress((100 * (index + 2)) / parts);
  }
  return {
    threshold: thresholds.candidate,
    overall: overall.scored,
    comparison: overall.comparison,
    slices,
    scoreHistogram: scoreShares(holdout.candidate),
    calibrationCurve: calibrationCurve(ranked),
    rocCurve: rocCurve(ranked),
  };
}

interface Settings {
  thresholds: { candidate: number; champion: number };
  /** Of the bootstrap; none for no intervals. */
  resamples: number;
  confidencePct: number;
  seed: number;
}

function evaluateRows(
  rows: ScoredRows,
  { thresholds, resamples, confidencePct, seed }: Settings,
): { scored: Scored; comparison: Comparison | null } {
  const ranked = rankScores(rows.labels, rows.candidate);
  const candidate = measuredModel(ranked, thresholds.candidate);
  const champion = rows.champion && measuredModel(rankScores(rows.labels, rows.champion), thresholds.champion);
  const intervals =
    resamples > 0
      ? pairedBootstrap({ candidate, champion, resamples, confidencePct, seed })
      : { candidate: {}, differences: {} };
  const metrics = metricsOf(measure(candidate));
  const scored = { rows: rows.labels.length, positives: ranked.positives, metrics, intervals: intervals.candidate };
  if (!champion) return { scored, comparison: null };
  const others = metricsOf(measure(champion));
  return {
    scored,
    comparison: { champion: others, differences: differencesOf(metrics, others, intervals.differences) },
  };
}

function differencesOf(
  candidate: Metrics,
  champion: Metrics,
  intervals: Scored['intervals'],
): Comparison['differences'] {
  const differences: Comparison['differences'] = {};
  for (const name of metricNames) {
    const [own, other, interval] = [candidate[name], champion[name], intervals[name]];
    if (own !== null && other !== null && interval) differences[name] = { estimate: own - other, interval };
  }
  return differences;
}

function rowsOf(all: ScoredRows, slice: SliceLevels, code: number): ScoredRows {
  const inside = (_: number, row: number) => slice.codes[row] === code;
  return {
    labels: all.labels.filter(inside),
    candidate: all.candidate.filter(inside),
    champion: all.champion && all.champion.filter(inside),
  };
}

/** Levels by falling number of rows, then by name. */
function largestLevels(slice: SliceLevels, enough: number): { level: string; code: number; rows: number }[] {
  const counts = new Array<number>(slice.levels.length).fill(0);
  for (const code of slice.codes) counts[code]!++;
  return slice.levels
    .map((level, code) => ({ level, code, rows: counts[code] ?? 0 }))
    .sort((left, right) => right.rows - left.rows || (left.level < right.level ? -1 : 1))
    .filter(({ rows }, place) => place < levelsMax || rows >= enough);
}

function scoreShares(scores: Float64Array): number[] {
  const counts = new Array<number>(histogramBins).fill(0);
  for (const score of scores) counts[Math.max(0, Math.min(histogramBins - 1, Math.floor(score * histogramBins)))]!++;
  return counts.map((count) => (scores.length === 0 ? 0 : count / scores.length));
}
