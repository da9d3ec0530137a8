import { quantile } from './quantile.js';

/** A feature's rows by level, for looking at a model level by level. */
export interface SliceLevels {
  feature: string;
  levels: string[];
  /** For each row the place of its level among `levels`. */
  codes: Int32Array;
}

/** The level of rows without a value. */
export const missingLevel = '(missing)';

/** A numeric feature with more distinct values than this is cut at its quartiles. */
const distinctMax = 24;

/** Levels of a text feature as they are; the empty text is a missing value. */
export function levelsOfStrings(feature: string, values: readonly string[]): SliceLevels {
  const places = new Map<string, number>();
  const codes = Int32Array.from(values, (value) => {
    const level = value === '' ? missingLevel : value;
    const place = places.get(level) ?? places.size;
    places.set(level, place);
    return place;
  });
  return { feature, levels: [...places.keys()], codes };
}

/**
 * Levels of a numeric feature: its values where there are few, else the four stretches between its quartiles. NaN is a
 * missing value.
 */
export function levelsOfNumbers(feature: string, values: Float32Array): SliceLevels {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const distinct = new Set(sorted).size;
  if (distinct <= distinctMax)
    return levelsOfStrings(
      feature,
      Array.from(values, (value) => (Number.isNaN(value) ? '' : String(value))),
    );
  const edges = [...new Set([0.25, 0.5, 0.75].map((probability) => quantile(sorted, probability)))];
  const text = (edge: number) => String(Number(edge.toPrecision(6)));
  const named = edges.map((edge, index) =>
    index === 0 ? `up to ${text(edge)}` : `above ${text(edges[index - 1] ?? edge)} up to ${text(edge)}`,
  );
  named.push(`above ${text(edges.at(-1) ?? 0)}`);
  return levelsOfStrings(
    feature,
    Array.from(values, (value) => {
      const place = edges.findIndex((edge) => value <= edge);
      return Number.isNaN(value) ? '' : (named[place === -1 ? edges.length : place] ?? '');
    }),
  );
}
