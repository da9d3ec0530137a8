/** Least, middle and greatest of some figures. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** @throws RangeError for no figures at all. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('a spread needs at least one figure');
  return { min, median: medianOf(sorted), max };
}

function medianOf(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}

/**
 * The spread of `measured[i] / reference[i]`: what a disturbance does to both of a pair falls out of their ratio.
 * @throws RangeError for unequal lengths.
 */
export function ratioSpread(measured: readonly number[], reference: readonly number[]): Spread {
  if (measured.length !== reference.length)
    throw new RangeError(`${measured.length} figures cannot be paired with ${reference.length}`);
  return spreadOf(measured.map((value, index) => value / (reference[index] ?? NaN)));
}

/** The value that `share` (0 … 1) of the values do not exceed. @throws RangeError for no values. */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('a percentile needs at least one value');
  return found;
}
