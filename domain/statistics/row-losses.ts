import type { RankedScores, RowWeights } from './ranked-scores.js';

/**
 * Scores are clipped to [2^-23, 1 − 2^-23] before the logarithm, as scikit-learn's `log_loss` does for FP32
 * probabilities, which is what models answer with.
 */
export const logLossClip = 2 ** -23;

/**
 * Negative natural logarithm of the probability that the model gave to what happened, a row; in nats. Their mean is the
 * log loss.
 */
export function logLosses({ labels, scores }: RankedScores): Float64Array {
  return scores.map((score, rank) => {
    const clipped = Math.min(1 - logLossClip, Math.max(logLossClip, score));
    return labels[rank] === 1 ? -Math.log(clipped) : -Math.log1p(-clipped);
  });
}

/**
 * Squared distance of score and label, a row. Their mean is the Brier score (Brier 1950, for the positive class alone).
 */
export function squaredErrors({ labels, scores }: RankedScores): Float64Array {
  return scores.map((score, rank) => (score - labels[rank]!) ** 2);
}

/** Mean of the rows' losses; NaN when no row has weight. */
export function meanLoss(losses: Float64Array, weights?: RowWeights): number {
  let sum = 0;
  let all = 0;
  for (let rank = 0; rank < losses.length; rank++) {
    const weight = weights ? weights[rank]! : 1;
    sum += weight * losses[rank]!;
    all += weight;
  }
  return all === 0 ? Number.NaN : sum / all;
}
