import type { RankedScores, RowWeights } from './ranked-scores.js';

/** Bins of equal width over [0, 1]; each holds its lower end, the last also 1. */
export const calibrationBins = 15;

export interface CalibrationPoint {
  /** Mean score of the bin's rows. */
  meanScore: number;
  /** Share of positives among them, 0 to 1. */
  observedShare: number;
  rows: number;
}

/**
 * Rows of each bin that is not empty, from low scores to high (scikit-learn's `calibration_curve`, strategy uniform, 15
 * bins).
 */
export function calibrationCurve(ranked: RankedScores, weights?: RowWeights): CalibrationPoint[] {
  const { rows, scores, positives } = fillBins(ranked, weights);
  const points: CalibrationPoint[] = [];
  for (let bin = 0; bin < calibrationBins; bin++) {
    const inBin = rows[bin]!;
    if (inBin > 0)
      points.push({ meanScore: scores[bin]! / inBin, observedShare: positives[bin]! / inBin, rows: inBin });
  }
  return points;
}

/**
 * Expected calibration error over 15 bins of equal width: the mean over rows of the distance between a bin's mean score
 * and its share of positives (Naeini et al. 2015, Guo et al. 2017, for the positive class). Zero is perfect. Biased
 * upwards on few rows, and its percentile interval with it. NaN without rows.
 */
export function calibrationError(ranked: RankedScores, weights?: RowWeights): number {
  const { rows, scores, positives } = fillBins(ranked, weights);
  let all = 0;
  let distance = 0;
  for (let bin = 0; bin < calibrationBins; bin++) {
    all += rows[bin]!;
    distance += Math.abs(scores[bin]! - positives[bin]!);
  }
  return all === 0 ? Number.NaN : distance / all;
}

function fillBins(ranked: RankedScores, weights: RowWeights | undefined) {
  const rows = new Float64Array(calibrationBins);
  const scores = new Float64Array(calibrationBins);
  const positives = new Float64Array(calibrationBins);
  for (let rank = 0; rank < ranked.scores.length; rank++) {
    const weight = weights ? weights[rank]! : 1;
    const score = ranked.scores[rank]!;
    const bin = Math.max(0, Math.min(calibrationBins - 1, Math.floor(score * calibrationBins)));
    rows[bin]! += weight;
    scores[bin]! += weight * score;
    positives[bin]! += weight * ranked.labels[rank]!;
  }
  return { rows, scores, positives };
}
