import { PerdureError, messageOf } from '../../domain/errors.js';
import type { GraphOutput } from '../../domain/tasks/task.js';
import { openModelSession, type InputColumn, type ModelFile } from './model-session.js';

export interface Scorer {
  /** Of a row of scores. */
  width: number;
  /**
   * Row-major: the outputs side by side.
   * @throws PerdureError `artifact/refused` when the model fails or answers with anything but its task's outputs
   */
  score(columns: Record<string, InputColumn>, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a checked model for the rows of a holdout, in the session that gateways serve by. */
export async function openScorer(model: ModelFile, outputs: readonly GraphOutput[]): Promise<Scorer> {
  const session = await openModelSession(model, outputs);
  const inputs = model.info.inputs.map(({ name }) => name);
  return {
    width: session.width,
    async score(columns, rows) {
      const feeds = Object.fromEntries(inputs.map((name) => [name, columnOf(columns, name)]));
      return session.scores(feeds, rows).catch((error: unknown) => {
        const what = messageOf(error);
        throw new PerdureError(
          'artifact/refused',
          `The model fails on the data: ${what}. Look for NaN or diverged values in training.`,
        );
      });
    },
    close: () => session.release(),
  };
}

function columnOf(columns: Record<string, InputColumn>, name: string): InputColumn {
  const column = columns[name];
  if (column) return column;
  throw new PerdureError('artifact/refused', `The model expects the input ${name}, which the data lacks.`);
}
