import type { RankedScores, RowWeights } from './ranked-scores.js';

/**
 * Area under the precision-recall curve as average precision: the sum of precision times the rise of recall over
 * falling distinct scores, without interpolation (scikit-learn's `average_precision_score`). NaN when only one class
 * has weight: without positives it has no meaning, and without negatives it is 1 whatever the model says (scikit-learn
 * answers 0 and 1 there).
 */
export function averagePrecision(ranked: RankedScores, weights?: RowWeights): number {
  const { labels, tieEnds } = ranked;
  let positives = 0;
  let all = 0;
  let positivesBefore = 0;
  let sum = 0;
  for (let rank = 0; rank < labels.length; rank++) {
    const weight = weights ? weights[rank]! : 1;
    all += weight;
    if (labels[rank] === 1) positives += weight;
    if (tieEnds[rank] === 1 && positives > positivesBefore) {
      sum += ((positives - positivesBefore) * positives) / all;
      positivesBefore = positives;
    }
  }
  return positives === 0 || positives === all ? Number.NaN : sum / positives;
}
