import type { CostMatrix } from './cost-matrix.js';
import { averagePrecision } from '../statistics/average-precision.js';
import { calibrationError } from '../statistics/calibration.js';
import { scoreColumn, type Measurer, type ScoredRows } from './measurer.js';
import { rankScores, type RankedScores, type RowWeights } from '../statistics/ranked-scores.js';
import { rocAuc } from '../statistics/roc-auc.js';
import { logLosses, meanLoss, squaredErrors } from '../statistics/row-losses.js';
import { thresholdMetrics } from './threshold-metrics.js';

export interface BinarySettings {
  /** Positive when score ≥ threshold. */
  threshold: number;
  /** For `utility`, which is left out without them. */
  costs?: CostMatrix | undefined;
}

/** Rows in the order of the chance of yes, the second score of a row; what rounding carried out of [0, 1] is cut. */
export function rankChances(rows: ScoredRows): RankedScores {
  const chances = scoreColumn(rows, 1).map((score) => Math.min(1, Math.max(0, score)));
  return rankScores(Uint8Array.from(rows.labels), chances);
}

export function binaryMeasurer(rows: ScoredRows, settings: BinarySettings): Measurer {
  return rankedMeasurer(rankChances(rows), settings);
}

/** The same of rows that are ranked already; weights are in the order of the rows before. */
export function rankedMeasurer(ranked: RankedScores, { threshold, costs }: BinarySettings): Measurer {
  const losses = { log: logLosses(ranked), squared: squaredErrors(ranked) };
  const count = ranked.rows.length;
  const inRankOrder = new Uint16Array(count);
  const measure = (weights?: RowWeights) => ({
    rocAuc: rocAuc(ranked, weights),
    prAuc: averagePrecision(ranked, weights),
    logLoss: meanLoss(losses.log, weights),
    brier: meanLoss(losses.squared, weights),
    calibrationError: calibrationError(ranked, weights),
    ...thresholdMetrics(ranked, threshold, costs, weights),
  });
  return {
    units: count,
    measure(drawn) {
      if (!drawn) return measure();
      for (let rank = 0; rank < count; rank++) inRankOrder[rank] = drawn[ranked.rows[rank]!]!;
      return measure(inRankOrder);
    },
  };
}
