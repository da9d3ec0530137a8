import path from 'node:path';
import { openDuckSession } from '../duck-session.js';
import type { OfferedColumn } from '../offered-columns.js';
import { quoteText } from '../quote-sql.js';

/** What models said of the rows of a holdout, column by column, in the order of its rows. */
export interface ScoresFile {
  /** Which unit of a resample a row belongs to: itself, or its group. */
  units: Int32Array;
  candidate: ModelColumns;
  champion: ModelColumns | null;
  /** The level of each row, by the feature that is sliced. */
  levels: Readonly<Record<string, readonly string[]>>;
}

export interface ModelColumns {
  /** By their names in `nativeColumns` of the task. */
  outputs: Readonly<Record<string, Float64Array>>;
  /** Places of the predicted classes; null where there are none. */
  predicted: Int32Array | null;
}

export type Model = 'candidate' | 'champion';

/** Names of its columns; no feature may have such a one. */
export const scoreColumns = {
  unit: 'perdure:unit',
  output: (model: Model, name: string) => `${model}:${name}`,
  predicted: (model: Model) => `${model}:predicted class`,
  level: (feature: string) => `level:${feature}`,
};

/** Writes it as Parquet, for the process that may evaluate expressions. */
export async function writeScoresFile(file: string, { units, candidate, champion, levels }: ScoresFile): Promise<void> {
  const columns: OfferedColumn[] = [{ name: scoreColumns.unit, type: 'INTEGER', values: units }];
  const add = (model: Model, { outputs, predicted }: ModelColumns) => {
    for (const [name, values] of Object.entries(outputs))
      columns.push({ name: scoreColumns.output(model, name), type: 'DOUBLE', values });
    if (predicted !== null) columns.push({ name: scoreColumns.predicted(model), type: 'INTEGER', values: predicted });
  };
  add('candidate', candidate);
  if (champion !== null) add('champion', champion);
  for (const [feature, values] of Object.entries(levels))
    columns.push({ name: scoreColumns.level(feature), type: 'VARCHAR', values });
  const session = await openDuckSession({ folder: path.dirname(file), threads: 1 });
  try {
    session.offer('scores', columns);
    await session.run(`COPY (SELECT * FROM offered('scores')) TO ${quoteText(file)} (FORMAT parquet)`);
  } finally {
    session.takeBackAll();
    session.close();
  }
}
