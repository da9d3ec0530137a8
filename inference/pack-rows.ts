import type { FeatureValue, ValueType } from '../domain/data/feature/feature-value.js';
import { inputColumns, type InputColumn } from '../domain/data/feature/input-columns.js';
import type { Rows } from './compiled-contract.js';
import type { Scores } from '../domain/tasks/scores.js';
import type { ModelSpec } from './inference-engine.js';

export interface PackedRows {
  rows: number;
  numbers: Float32Array;
  strings: string[];
  /** Inputs of all features that are neither numbers nor texts, by name; absent where there are none. */
  others?: Record<string, InputColumn>;
}

export const isText = (type: ValueType): boolean => type === 'string' || type === 'text';

/**
 * Lays the rows of several requests feature by feature into one array of numbers and one of strings, which cost little
 * to send to another process.
 */
export function packRows(features: ModelSpec['features'], requests: readonly Rows[]): PackedRows {
  let rows = 0;
  for (const request of requests) rows += request.count;
  let numberFeatures = 0;
  let textFeatures = 0;
  for (const { type } of features)
    if (type === 'number') numberFeatures += 1;
    else if (isText(type)) textFeatures += 1;
  const numbers = new Float32Array(numberFeatures * rows);
  const strings = new Array<string>(textFeatures * rows);
  let numberAt = 0;
  let stringAt = 0;
  for (let index = 0; index < features.length; index += 1) {
    const type = features[index]?.type ?? 'number';
    if (type !== 'number' && !isText(type)) continue;
    for (const { columns, count } of requests) {
      const column = columns[index];
      if (column === undefined) throw new RangeError('a request has fewer columns than the model has features');
      for (let row = 0; row < count; row += 1) {
        const value = column[row];
        if (typeof value === 'number') numbers[numberAt++] = value;
        else strings[stringAt++] = typeof value === 'string' ? value : '';
      }
    }
  }
  const packed = { rows, numbers, strings };
  return numberFeatures + textFeatures === features.length
    ? packed
    : { ...packed, others: packOthers(features, requests) };
}

function packOthers(features: ModelSpec['features'], requests: readonly Rows[]): Record<string, InputColumn> {
  return Object.fromEntries(
    features.flatMap(({ type, inputs }, index) => {
      if (type === 'number' || isText(type)) return [];
      const values = requests.flatMap(({ columns }): FeatureValue[] => columns[index] ?? []);
      return inputColumns(inputs, values);
    }),
  );
}

/** The part of a batch's answer that belongs to the `count` rows from `from`. */
export function sliceScores({ values, width }: Scores, from: number, count: number): Scores {
  return { values: values.subarray(from * width, (from + count) * width), width };
}
