import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PerdureError } from '../../domain/errors.js';

/** One column of a batch: numbers with NaN for a missing value, texts with '' for it. */
export type FeatureColumn = Float32Array | string[];

export interface Scorer {
  /**
   * The probability of the positive class, a row.
   * @throws PerdureError `artifact/refused` when the model fails or answers with anything but probabilities
   */
  score(columns: Record<string, FeatureColumn>, rows: number): Promise<Float64Array>;
  close(): Promise<void>;
}

/** Rounding may carry a converted model's probability this far out of [0, 1]; it is cut to the range. */
const slack = 1e-5;

/** Opens a model that `checkModel` has accepted, on one thread. */
export async function openScorer(bytes: Uint8Array, inputs: readonly string[]): Promise<Scorer> {
  const session = await InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    throw new PerdureError('artifact/refused', `The runtime cannot load the model: ${String(error)}`);
  });
  return {
    async score(columns, rows) {
      const feeds: Record<string, Tensor> = {};
      for (const name of inputs) {
        const column = columns[name];
        if (!column)
          throw new PerdureError(
            'artifact/refused',
            `The model asks for the input ${name}, which the data does not have.`,
          );
        feeds[name] =
          column instanceof Float32Array
            ? new Tensor('float32', column, [rows, 1])
            : new Tensor('string', column, [rows, 1]);
      }
      const answered = await session.run(feeds, ['probabilities']).catch((error: unknown) => {
        throw new PerdureError('artifact/refused', `The model fails on the data: ${String(error)}`);
      });
      return positiveColumn(answered['probabilities']?.data, rows);
    },
    close: () => session.release(),
  };
}

function positiveColumn(data: unknown, rows: number): Float64Array {
  if (!(data instanceof Float32Array) || data.length !== 2 * rows) {
    throw new PerdureError(
      'artifact/refused',
      `The model does not answer with two FP32 probabilities for each of ${rows} rows.`,
    );
  }
  const scores = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const score = data[2 * row + 1] ?? Number.NaN;
    if (!(score >= -slack && score <= 1 + slack)) {
      throw new PerdureError(
        'artifact/refused',
        `The model answers ${score} where a probability is due. Look for NaN or diverged values in training.`,
      );
    }
    scores[row] = Math.min(1, Math.max(0, score));
  }
  return scores;
}
