import type { CostMatrix } from './cost-matrix.js';
import type { RankedScores, RowWeights } from '../statistics/ranked-scores.js';

export interface ThresholdMetrics {
  /** Share of rows told apart rightly; NaN without rows. */
  accuracy: number;
  /** Share of true positives among rows called positive; NaN when none is (scikit-learn answers 0). */
  precision: number;
  /** Share of positives that were found; NaN without positives. */
  recall: number;
  /** Harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN); NaN without positives. */
  f1: number;
  /** What a row costs on average, with the sign turned; there where costs are declared. NaN without rows. */
  utility?: number;
}

/** Metrics of the decision "positive when score ≥ threshold". */
export function thresholdMetrics(
  ranked: RankedScores,
  threshold: number,
  costs?: CostMatrix,
  weights?: RowWeights,
): ThresholdMetrics {
  const { scores, labels } = ranked;
  let truePositives = 0;
  let called = 0;
  let positives = 0;
  let all = 0;
  for (let rank = 0; rank < scores.length; rank++) {
    const weight = weights ? weights[rank]! : 1;
    const positive = labels[rank] === 1 ? weight : 0;
    all += weight;
    positives += positive;
    if (scores[rank]! >= threshold) {
      called += weight;
      truePositives += positive;
    }
  }
  return {
    accuracy: all === 0 ? Number.NaN : (all - called - positives + 2 * truePositives) / all,
    precision: called === 0 ? Number.NaN : truePositives / called,
    recall: positives === 0 ? Number.NaN : truePositives / positives,
    f1: positives === 0 ? Number.NaN : (2 * truePositives) / (called + positives),
    ...(costs && { utility: utilityOf(costs, { truePositives, called, positives, all }) }),
  };
}

interface Outcomes {
  truePositives: number;
  called: number;
  positives: number;
  all: number;
}

/** NaN without rows. */
export function utilityOf(costs: CostMatrix, { truePositives, called, positives, all }: Outcomes): number {
  const falsePositives = called - truePositives;
  const falseNegatives = positives - truePositives;
  const cost =
    costs.truePositive * truePositives +
    costs.falsePositive * falsePositives +
    costs.falseNegative * falseNegatives +
    costs.trueNegative * (all - called - falseNegatives);
  return all === 0 ? Number.NaN : -cost / all;
}
