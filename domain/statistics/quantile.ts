/**
 * Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7; NumPy's default).
 * @param sorted rising, without NaN
 * @param probability 0 to 1
 * @returns NaN for an empty array
 */
export function quantile(sorted: Float64Array, probability: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = probability * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (place - below) * (high - low);
}
