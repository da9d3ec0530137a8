import type { Rows } from './compiled-contract.js';
import type { Scores } from '../domain/tasks/scores.js';
import type { ModelSpec } from './inference-engine.js';

export interface PackedRows {
  rows: number;
  numbers: Float32Array;
  strings: string[];
}

/**
 * Lays the rows of several requests feature by feature into one array of numbers and one of strings, which cost little
 * to send to another process.
 */
export function packRows(features: ModelSpec['features'], requests: readonly Rows[]): PackedRows {
  let rows = 0;
  for (const request of requests) rows += request.count;
  let numberFeatures = 0;
  for (const feature of features) if (feature.type === 'number') numberFeatures += 1;
  const numbers = new Float32Array(numberFeatures * rows);
  const strings = new Array<string>((features.length - numberFeatures) * rows);
  let numberAt = 0;
  let stringAt = 0;
  for (let index = 0; index < features.length; index += 1) {
    for (const { columns, count } of requests) {
      const column = columns[index];
      if (column === undefined) throw new RangeError('a request has fewer columns than the model has features');
      for (let row = 0; row < count; row += 1) {
        const value = column[row];
        if (typeof value === 'number') numbers[numberAt++] = value;
        else strings[stringAt++] = value ?? '';
      }
    }
  }
  return { rows, numbers, strings };
}

/** The part of a batch's answer that belongs to the `count` rows from `from`. */
export function sliceScores({ values, width }: Scores, from: number, count: number): Scores {
  return { values: values.subarray(from * width, (from + count) * width), width };
}
