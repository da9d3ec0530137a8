import type { GraphOutput } from '../../domain/tasks/task.js';

/** Rounding may carry a converted model's probability this far out of [0, 1]. */
const slack = 1e-5;

/**
 * What a graph answered, as rows of scores: its outputs side by side. Quantiles are put in order within their row, as
 * Chernozhukov, Fernández-Val and Galichon (2010) rearrange them, for models of single quantiles may cross: no pinball
 * loss is greater for it.
 * @param dataOf an output's values, by its name
 * @throws Error that says what was answered instead.
 */
export function scoresOf(
  outputs: readonly GraphOutput[],
  dataOf: (name: string) => unknown,
  rows: number,
): Float32Array {
  const columns = outputs.map((output) => checked(output, dataOf(output.name), rows));
  const [first] = columns;
  if (columns.length === 1 && first !== undefined) return first;
  const all = outputs.reduce((sum, { width }) => sum + width, 0);
  const scores = new Float32Array(rows * all);
  let place = 0;
  for (const [index, { width }] of outputs.entries()) {
    const column = columns[index] ?? new Float32Array(0);
    for (let row = 0; row < rows; row += 1)
      scores.set(column.subarray(row * width, (row + 1) * width), row * all + place);
    place += width;
  }
  return scores;
}

function checked({ name, width, holds }: GraphOutput, data: unknown, rows: number): Float32Array {
  if (!(data instanceof Float32Array) || data.length !== rows * width)
    throw new Error(`the output ${name} is not FP32 of shape [${rows}, ${width}]`);
  const [low, high] = holds === 'chances' ? [-slack, 1 + slack] : [-Number.MAX_VALUE, Number.MAX_VALUE];
  for (let at = 0; at < data.length; at += 1) {
    const value = data[at] ?? NaN;
    if (value >= low && value <= high) continue;
    const due = holds === 'chances' ? 'a probability' : 'a finite number';
    throw new Error(`${value} stands where ${due} is due, in row ${Math.floor(at / width)} of the output ${name}`);
  }
  if (holds === 'quantiles')
    for (let row = 0; row < rows; row += 1) data.subarray(row * width, (row + 1) * width).sort();
  return data;
}
