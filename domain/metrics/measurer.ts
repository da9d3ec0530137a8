import type { RowWeights } from '../statistics/ranked-scores.js';

/** Rows of a holdout with what one model says of them. */
export interface ScoredRows {
  /** As the task codes them: 0 and 1, the place of a class, a number, a relevance. Empty where there is no label. */
  labels: Float64Array;
  /** Row-major, `width` a row: the outputs of the model's graph side by side. */
  scores: Float32Array | Float64Array;
  width: number;
  /** Of a ranking: the place of each row's group, from 0. */
  groups?: Int32Array | undefined;
}

/** One model on its rows, with what every resample uses again. */
export interface Measurer {
  /** What a resample draws: rows, or whole groups of a ranking. */
  units: number;
  /**
   * Every metric by its key; NaN where it is not defined.
   * @param drawn how often each unit counts; left out, each counts once
   */
  measure(drawn?: RowWeights): Record<string, number>;
}

export function rowCount({ scores, width, labels }: ScoredRows): number {
  return width === 0 ? labels.length : scores.length / width;
}

/** One column of the scores. */
export function scoreColumn({ scores, width }: ScoredRows, column: number): Float64Array {
  const values = new Float64Array(scores.length / width);
  for (let row = 0, at = column; row < values.length; row++, at += width) values[row] = scores[at]!;
  return values;
}

/** The rows that `inside` lets through. */
export function rowsWhere(rows: ScoredRows, inside: (row: number) => boolean): ScoredRows {
  const places: number[] = [];
  for (let row = 0, count = rowCount(rows); row < count; row++) if (inside(row)) places.push(row);
  const { labels, scores, width, groups } = rows;
  const picked = new Float64Array(places.length * width);
  for (const [at, row] of places.entries()) picked.set(scores.subarray(row * width, (row + 1) * width), at * width);
  return {
    labels: labels.length === 0 ? labels : Float64Array.from(places, (row) => labels[row]!),
    scores: picked,
    width,
    groups: groups && renumbered(places.map((row) => groups[row]!)),
  };
}

/** The same groups with numbers from 0 that leave none out, in the order of their first rows. */
export function renumbered(groups: readonly number[]): Int32Array {
  const places = new Map<number, number>();
  return Int32Array.from(groups, (group) => {
    const place = places.get(group) ?? places.size;
    places.set(group, place);
    return place;
  });
}
