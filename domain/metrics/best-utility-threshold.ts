import type { CostMatrix } from './cost-matrix.js';
import type { RankedScores } from '../statistics/ranked-scores.js';
import { utilityOf } from './threshold-metrics.js';

/** Scores are FP32: nothing lies between one and the next threshold above it. */
const above = 2 ** -23;

/**
 * The score that, used as threshold (positive when score ≥ threshold), gives the greatest utility; of several the
 * greatest. Above all scores where calling no row positive is best; 0.5 without rows.
 */
export function bestUtilityThreshold(ranked: RankedScores, costs: CostMatrix): number {
  const { scores, labels, tieEnds, positives } = ranked;
  const all = scores.length;
  if (all === 0) return 0.5;
  let threshold = scores[0]! + above;
  let best = utilityOf(costs, { truePositives: 0, called: 0, positives, all });
  let truePositives = 0;
  for (let rank = 0; rank < all; rank++) {
    truePositives += labels[rank]!;
    if (tieEnds[rank] !== 1) continue;
    const utility = utilityOf(costs, { truePositives, called: rank + 1, positives, all });
    if (utility <= best) continue;
    best = utility;
    threshold = scores[rank]!;
  }
  return threshold;
}
