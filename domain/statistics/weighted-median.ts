import type { RowWeights } from './ranked-scores.js';

/** Values with their places, sorted once so that the median of every resample is one pass. */
export interface SortedValues {
  places: Int32Array;
  /** Rising. */
  values: Float64Array;
}

export function sortValues(values: Float64Array): SortedValues {
  const places = Int32Array.from(values, (_, place) => place).sort((left, right) => values[left]! - values[right]!);
  return { places, values: Float64Array.from(places, (place) => values[place]!) };
}

/** The median of values that count as often as their weights say (NumPy's, of the repeated values). NaN without any. */
export function weightedMedian({ places, values }: SortedValues, weights?: RowWeights): number {
  let all = values.length;
  if (weights) {
    all = 0;
    for (const weight of weights) all += weight;
  }
  if (all === 0) return Number.NaN;
  const [below, above] = [Math.floor((all - 1) / 2), Math.floor(all / 2)];
  let seen = 0;
  let low = Number.NaN;
  for (let rank = 0; rank < values.length; rank++) {
    seen += weights ? weights[places[rank]!]! : 1;
    if (Number.isNaN(low) && seen > below) low = values[rank]!;
    if (seen > above) return (low + values[rank]!) / 2;
  }
  return Number.NaN;
}
