import { DuckDBInstance } from '@duckdb/node-api';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TrainerFeature } from '../../../domain/training/trainer.js';

/**
 * Scores all rows of a Parquet file with ONNX Runtime as the gateway does: one tensor a feature, missing as NaN or as
 * the empty string.
 */
export async function scoreParquet(modelPath: string, parquet: string, features: TrainerFeature[]) {
  const columns = await readColumns(
    parquet,
    features.map(({ name }) => name),
  );
  const rows = columns[0]?.length ?? 0;
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
  const feeds: Record<string, Tensor> = {};
  for (const [index, { name, type }] of features.entries()) {
    const column = columns[index] ?? [];
    feeds[name] =
      type === 'string'
        ? new Tensor(
            'string',
            column.map((value) => (typeof value === 'string' ? value : '')),
            [rows, 1],
          )
        : new Tensor(
            'float32',
            Float32Array.from(column, (value) => (value === null ? NaN : Number(value))),
            [rows, 1],
          );
  }
  const outputs = await session.run(feeds);
  return { outputs, rows, inputNames: session.inputNames };
}

/** An output of numbers, with its shape. */
export function numbersOf(outputs: Record<string, Tensor>, name: string) {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the model has no output ${name} of float32`);
  return { data, dims: outputs[name]?.dims ?? [] };
}

/** For each column that a trainer wrote, in which output and place of its rows the same is to be found. */
export type NativeColumns = Record<string, { output: string; place: number; width: number }>;

export const binaryColumns: NativeColumns = { probability: { output: 'probabilities', place: 1, width: 2 } };

export const multiclassColumns = (classes: number): NativeColumns =>
  Object.fromEntries(
    Array.from({ length: classes }, (_, place) => [
      `probability_${place}`,
      { output: 'probabilities', place, width: classes },
    ]),
  );

export const regressionColumns = (quantiles: number): NativeColumns => ({
  value: { output: 'value', place: 0, width: 1 },
  ...Object.fromEntries(
    Array.from({ length: quantiles }, (_, place) => [
      `quantile_${place}`,
      { output: 'quantiles', place, width: quantiles },
    ]),
  ),
});

export const rankingColumns: NativeColumns = { score: { output: 'score', place: 0, width: 1 } };

/** The greatest difference between ONNX and what the trainer wrote; of numbers beyond 1 relative to them. */
export async function greatestDifference(
  outputs: Record<string, Tensor>,
  nativePath: string,
  columns: NativeColumns,
): Promise<number> {
  const native = await readColumns(nativePath, Object.keys(columns));
  let greatest = 0;
  for (const [index, { output, place, width }] of Object.values(columns).entries()) {
    const { data } = numbersOf(outputs, output);
    const values = native[index] ?? [];
    if (values.length * width !== data.length)
      throw new Error(`${values.length} native rows for ${data.length / width} ONNX rows`);
    for (const [row, value] of values.entries()) {
      const expected = Number(value);
      const difference = Math.abs(expected - (data[row * width + place] ?? NaN)) / Math.max(1, Math.abs(expected));
      greatest = Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
    }
  }
  return greatest;
}

/** Log loss and ROC AUC of native probabilities on labels that the trainer was not given. */
export async function metricsOnHoldout(nativePath: string, holdout: string, label: string) {
  const [probabilities = []] = await readColumns(nativePath, ['probability']);
  const [labels = []] = await readColumns(holdout, [label]);
  const rows = labels.map((yes, row) => ({ yes: Boolean(yes), score: Number(probabilities[row]) }));
  const logLoss = rows.reduce((sum, { yes, score }) => sum - Math.log(yes ? score : 1 - score), 0) / rows.length;
  rows.sort((left, right) => left.score - right.score);
  const positives = rows.filter(({ yes }) => yes).length;
  const negatives = rows.length - positives;
  let ranks = 0;
  for (let start = 0; start < rows.length;) {
    let end = start;
    while (end < rows.length && rows[end]?.score === rows[start]?.score) end += 1;
    ranks += rows.slice(start, end).filter(({ yes }) => yes).length * ((start + 1 + end) / 2);
    start = end;
  }
  return { logLoss, rocAuc: (ranks - (positives * (positives + 1)) / 2) / (positives * negatives) };
}

export async function readColumns(parquet: string, names: string[]): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT ${names.map((name) => `"${name}"`).join(', ')} FROM read_parquet('${parquet}')`,
    );
    return reader.getColumns();
  } finally {
    connection.closeSync();
  }
}
