import { PerdureError, messageOf } from '../../domain/errors.js';
import { classes, openModelSession, type InputColumn, type ModelFile } from './model-session.js';

export interface Scorer {
  /**
   * The probability of the positive class, a row.
   * @throws PerdureError `artifact/refused` when the model fails or answers with anything but probabilities
   */
  score(columns: Record<string, InputColumn>, rows: number): Promise<Float64Array>;
  close(): Promise<void>;
}

/** Opens a checked model for the rows of a holdout, in the session that gateways serve by. */
export async function openScorer(model: ModelFile): Promise<Scorer> {
  const session = await openModelSession(model);
  const inputs = model.info.inputs.map(({ name }) => name);
  return {
    async score(columns, rows) {
      const feeds = Object.fromEntries(inputs.map((name) => [name, columnOf(columns, name)]));
      const answered = await session.probabilities(feeds, rows).catch((error: unknown) => {
        const what = messageOf(error);
        throw new PerdureError(
          'artifact/refused',
          `The model fails on the data: ${what}. Look for NaN or diverged values in training.`,
        );
      });
      return positiveColumn(answered, rows);
    },
    close: () => session.release(),
  };
}

function columnOf(columns: Record<string, InputColumn>, name: string): InputColumn {
  const column = columns[name];
  if (column) return column;
  throw new PerdureError('artifact/refused', `The model expects the input ${name}, which the data lacks.`);
}

/** What rounding carried out of [0, 1] is cut to it. */
function positiveColumn(probabilities: Float32Array, rows: number): Float64Array {
  const scores = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    scores[row] = Math.min(1, Math.max(0, probabilities[classes * row + 1] ?? Number.NaN));
  }
  return scores;
}
