import { sumOf } from './sum-of.js';

/**
 * Kolmogorov-Smirnov distance between two histograms over the same bins: the largest difference of their cumulative
 * shares, 0 to 1. It is the distance of the binned values, never more than that of the values themselves. NaN when
 * either is empty.
 * @throws RangeError when the numbers of bins differ
 */
export function kolmogorovSmirnovDistance(first: readonly number[], second: readonly number[]): number {
  if (first.length !== second.length)
    throw new RangeError(`${first.length} bins cannot be compared with ${second.length}`);
  const firstAll = sumOf(first);
  const secondAll = sumOf(second);
  if (firstAll === 0 || secondAll === 0) return Number.NaN;
  let firstSum = 0;
  let secondSum = 0;
  let distance = 0;
  for (let bin = 0; bin < first.length; bin++) {
    firstSum += first[bin]!;
    secondSum += second[bin]!;
    distance = Math.max(distance, Math.abs(firstSum / firstAll - secondSum / secondAll));
  }
  return distance;
}
