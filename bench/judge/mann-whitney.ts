import { normalQuantile } from '../../domain/statistics/normal-quantile.js';

/**
 * The one-shot test of Mann and Whitney (1947) on two histograms over the same bins, by the normal approximation with
 * correction for ties, one-sided: whether values of the first lie higher. Its level holds for one look only.
 */
export function liesHigher(first: readonly number[], second: readonly number[], alpha: number): boolean {
  let [pairsWon, secondBelow, ties, count, secondCount] = [0, 0, 0, 0, 0];
  for (const [bin, mine] of first.entries()) {
    const theirs = second[bin] ?? 0;
    pairsWon += mine * (secondBelow + theirs / 2);
    secondBelow += theirs;
    count += mine;
    secondCount += theirs;
    ties += (mine + theirs) ** 3 - (mine + theirs);
  }
  const all = count + secondCount;
  const variance = ((count * secondCount) / 12) * (all + 1 - ties / (all * (all - 1)));
  return variance > 0 && (pairsWon - (count * secondCount) / 2) / Math.sqrt(variance) > -normalQuantile(alpha);
}
