import { PerdureError, messageOf } from '../../domain/errors.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import { openModelSession, type InputColumn, type ModelFile } from './model-session.js';

const yesOrNo = taskOf({}).graphOutputs({ classes: [0, 1], quantiles: [], length: 0 });

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
  const session = await openModelSession(model, yesOrNo);
  const inputs = model.info.inputs.map(({ name }) => name);
  return {
    async score(columns, rows) {
      const feeds = Object.fromEntries(inputs.map((name) => [name, columnOf(columns, name)]));
      const answered = await session.scores(feeds, rows).catch((error: unknown) => {
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
    scores[row] = Math.min(1, Math.max(0, probabilities[2 * row + 1] ?? Number.NaN));
  }
  return scores;
}
