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
  const { label, probabilities } = await session.run(feeds);
  if (!label || !probabilities) throw new Error('the model has no outputs label and probabilities');
  const scores = probabilities.data;
  if (!(scores instanceof Float32Array)) throw new Error('probabilities are not float32');
  return { label, probabilities, scores, rows, inputNames: session.inputNames };
}

/** The greatest absolute difference between ONNX probabilities and those that the trainer wrote. */
export async function greatestDifference(scores: Float32Array, nativePath: string, classes: number): Promise<number> {
  const names = classes === 2 ? ['probability'] : Array.from({ length: classes }, (_, place) => `probability_${place}`);
  const columns = await readColumns(nativePath, names);
  let greatest = 0;
  for (const [column, values] of columns.entries()) {
    const place = classes === 2 ? 1 : column;
    if (values.length * classes !== scores.length)
      throw new Error(`${values.length} native rows for ${scores.length / classes} ONNX rows`);
    for (const [row, value] of values.entries())
      greatest = Math.max(greatest, Math.abs(Number(value) - (scores[row * classes + place] ?? NaN)));
  }
  return greatest;
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
