/**
 * Pinball loss of one quantile (Koenker and Bassett 1978; scikit-learn's `mean_pinball_loss` is its mean): the distance
 * to the label, weighed by the quantile's probability where the label is greater, by the rest of 1 where it is less.
 */
export function pinballLoss(label: number, predicted: number, quantile: number): number {
  const over = label - predicted;
  return over >= 0 ? quantile * over : (quantile - 1) * over;
}

/** Twice the distance by the sum of both sizes, 0 to 2 (Makridakis 1993); 0 where both are 0. */
export function smapeOf(label: number, predicted: number): number {
  const sizes = Math.abs(label) + Math.abs(predicted);
  return sizes === 0 ? 0 : (2 * Math.abs(label - predicted)) / sizes;
}
