import { bestF1Threshold } from '../metrics/best-f1-threshold.js';
import { bestUtilityThreshold } from '../metrics/best-utility-threshold.js';
import { rankScores } from '../statistics/ranked-scores.js';
import type { EvaluationPolicy } from './evaluation-policy.js';

/** Where no row is positive, nothing tells thresholds apart. */
const undecided = 0.5;

/**
 * The threshold that the policy asks for on these rows, which are never those that it is reported on.
 * @param labels 1 for a positive row, else 0
 * @param chances of yes, 0 to 1
 */
export function chooseThreshold(
  { threshold, costs }: Pick<EvaluationPolicy, 'threshold' | 'costs'>,
  labels: Uint8Array,
  chances: Float64Array,
): number {
  if (typeof threshold === 'number') return threshold;
  const ranked = rankScores(labels, chances);
  if (threshold === 'best-utility' && costs) return bestUtilityThreshold(ranked, costs);
  return bestF1Threshold(ranked) ?? undecided;
}
