import type { Rows } from '../../inference/compiled-contract.js';
import { contextMark } from './row-line.js';

/**
 * The rows of one large request as one line of the spool, their features packed rather than written out: numbers as
 * FP32 in base64, column after column. Writing a hundred rows as text takes longer than answering them, so that is left
 * to the shipper, which nobody waits for.
 */

/** How every packed line begins; no line of a single row does. */
export const packedMark = '{"packed":1,';

export interface ServedRows {
  /** Stands behind the number of each row in its prediction id; empty for what is no shadow's answer. */
  suffix: string;
  features: readonly { name: string }[];
  rows: Rows;
  /** One a row. */
  scores: Float32Array;
  positives: readonly boolean[];
}

/** @param head the members that all rows share, as JSON without braces. */
export function packedLine(
  predictionId: string,
  head: string,
  { suffix, features, rows, scores, positives }: ServedRows,
): string {
  const { count, columns } = rows;
  const isNumber = columns.map((column) => typeof column[0] === 'number');
  const numbers = new Float32Array(isNumber.filter(Boolean).length * count);
  const strings: string[] = [];
  let at = 0;
  for (const column of columns) {
    for (let row = 0; row < count; row += 1) {
      const value = column[row];
      if (typeof value === 'number') numbers[at++] = value;
      else strings.push(value ?? '');
    }
  }
  const kinds = features.map(({ name }, index) => `"${name}":"${isNumber[index] ? 'n' : 's'}"`).join(',');
  const labels = positives.map((positive) => (positive ? '1' : '0')).join('');
  return (
    `${packedMark}"prediction_id":"${predictionId}","suffix":"${suffix}"` +
    `,"rows":${count},${head},"features":{${kinds}},` +
    `"numbers":"${base64(numbers)}","strings":${JSON.stringify(strings)}` +
    `,"scores":"${base64(scores)}","labels":"${labels}"}`
  );
}

/** How many rows a line of the spool stands for, read from its beginning alone. */
export function rowsOfLine(line: string): number {
  if (line.startsWith(contextMark)) return 0;
  return line.startsWith(packedMark) ? Number(/"rows":(\d+)/.exec(line.slice(0, 500))?.[1] ?? 1) : 1;
}

/** A feature as the prediction log holds it: null where it was missing. */
export function featureText(value: number | string | undefined): string {
  if (typeof value === 'number') return Number.isNaN(value) ? 'null' : String(value);
  return value === undefined || value === '' ? 'null' : JSON.stringify(value);
}

function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}
