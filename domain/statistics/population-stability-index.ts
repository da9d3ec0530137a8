import { quantile } from './quantile.js';

/** Shares below this count as this much, so that an empty bin gives a finite number. */
export const shareFloor = 1e-4;

/**
 * Population stability index of two histograms over the same bins: the sum of (a − e)·ln(a / e) over their shares, each
 * at least 1e-4 (Siddiqi 2006). About 0.1 is called a small shift, 0.25 a large one. NaN when either is empty.
 * @throws RangeError when the numbers of bins differ
 */
export function populationStabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  if (expected.length !== actual.length)
    throw new RangeError(`${expected.length} bins cannot be compared with ${actual.length}`);
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  const expectedAll = sum(expected);
  const actualAll = sum(actual);
  if (expectedAll === 0 || actualAll === 0) return Number.NaN;
  return expected.reduce((index, count, bin) => {
    const e = Math.max(shareFloor, count / expectedAll);
    const a = Math.max(shareFloor, actual[bin]! / actualAll);
    return index + (a - e) * Math.log(a / e);
  }, 0);
}

/**
 * Edges between the bins of a numeric feature: the distinct deciles 0.1 … 0.9 of the reference's values, NaN (missing)
 * left out.
 */
export function decileEdges(reference: Float64Array): number[] {
  const sorted = reference.filter((value) => !Number.isNaN(value)).sort();
  const deciles = Array.from({ length: 9 }, (_, index) => quantile(sorted, (index + 1) / 10));
  return sorted.length === 0 ? [] : [...new Set(deciles)];
}

/**
 * Counts of values per bin: the bin is the number of edges strictly below the value; a last bin of its own holds NaN
 * (missing).
 */
export function countByEdges(values: Float64Array, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0);
  for (const value of values) {
    let bin = edges.length + 1;
    if (!Number.isNaN(value)) bin = edges.findIndex((edge) => edge >= value);
    counts[bin === -1 ? edges.length : bin]!++;
  }
  return counts;
}
