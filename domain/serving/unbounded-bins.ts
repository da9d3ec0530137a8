/**
 * Bins for numbers without bounds, the same for everybody, so that counts of gateways, minutes and days are merged by
 * adding them: a DDSketch (Masson, Rim and Lee 2019) with a fixed number of buckets. A bin's numbers differ by 4 % at
 * most, so a quantile that is read from counts is wrong by 2 % of itself at most. What is nearer to 0 than the smallest
 * magnitude counts as 0, what is further than the greatest falls in the outermost bin.
 */
const relativeError = 0.02;
const growth = (1 + relativeError) / (1 - relativeError);
const perNat = 1 / Math.log(growth);
const smallest = 1e-6;
/** Of one sign: up to 6e11. */
const magnitudes = 1024;

/** From the most negative numbers over 0, in the middle, to the greatest. */
export const unboundedBins = 2 * magnitudes + 1;

/** The bin of a number; -1 for NaN. */
export function unboundedBin(value: number): number {
  if (Number.isNaN(value)) return -1;
  const size = Math.abs(value);
  if (size < smallest) return magnitudes;
  const step = 1 + Math.min(magnitudes - 1, Math.floor(Math.log(size / smallest) * perNat));
  return value < 0 ? magnitudes - step : magnitudes + step;
}

/** The number that stands for all of a bin: none of them is further from it than the relative error. */
export function unboundedValue(bin: number): number {
  const step = Math.abs(bin - magnitudes);
  if (step === 0) return 0;
  const size = (smallest * growth ** (step - 1) * 2 * growth) / (1 + growth);
  return bin < magnitudes ? -size : size;
}
