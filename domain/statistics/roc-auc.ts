import type { RankedScores, RowWeights } from './ranked-scores.js';

/**
 * Area under the receiver operating characteristic: the chance that a positive row scores higher than a negative one,
 * ties counted as one half (Hanley and McNeil 1982; the trapezoid rule over tied groups). NaN when only one class, or
 * no row, has weight.
 */
export function rocAuc(ranked: RankedScores, weights?: RowWeights): number {
  const { labels, tieEnds } = ranked;
  let positives = 0;
  let negatives = 0;
  let positivesBefore = 0;
  let negativesBefore = 0;
  let area = 0;
  for (let rank = 0; rank < labels.length; rank++) {
    const weight = weights ? weights[rank]! : 1;
    if (labels[rank] === 1) positives += weight;
    else negatives += weight;
    if (tieEnds[rank] === 1) {
      area += (negatives - negativesBefore) * (positives + positivesBefore);
      positivesBefore = positives;
      negativesBefore = negatives;
    }
  }
  return positives === 0 || negatives === 0 ? Number.NaN : area / (2 * positives * negatives);
}
