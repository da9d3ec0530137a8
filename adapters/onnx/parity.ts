import { PerdureError } from '../../domain/errors.js';
import type { ScoredRows } from '../../domain/metrics/measurer.js';
import type { NativeColumn } from '../../domain/tasks/task.js';
import type { HoldoutReader } from './holdout-reader.js';
import type { Scorer } from './scorer.js';

/**
 * The greatest difference between what the native model says of a row and what ONNX says, over all outputs and rows;
 * null without rows.
 * @throws PerdureError `training/failed`: the trainer wrote other rows, or what is no number
 */
export async function greatestDifference(
  reader: HoldoutReader,
  path: string,
  columns: readonly NativeColumn[],
  { scores, width }: Pick<ScoredRows, 'scores' | 'width'>,
): Promise<number | null> {
  const rows = width === 0 ? 0 : scores.length / width;
  let greatest = 0;
  let row = 0;
  for await (const chunk of reader.numbers(
    path,
    columns.map(({ name }) => name),
  )) {
    const read = chunk[0]?.length ?? 0;
    for (let at = 0; at < read && row + at < rows; at += 1)
      for (const [index, column] of columns.entries())
        greatest = Math.max(greatest, differenceOf(column, chunk[index]?.[at], scores, (row + at) * width, row + at));
    row += read;
  }
  if (row !== rows)
    throw new PerdureError(
      'training/failed',
      `The trainer wrote ${row} rows of native predictions for ${rows} holdout rows.`,
    );
  return rows === 0 ? null : greatest;
}

/** The same against a model that is asked of the same rows. @throws PerdureError as `greatestDifference` */
export async function greatestDifferenceOfModels(
  reader: HoldoutReader,
  holdout: readonly { path: string }[],
  native: Scorer,
  columns: readonly NativeColumn[],
  { scores, width }: Pick<ScoredRows, 'scores' | 'width'>,
): Promise<number | null> {
  let greatest = 0;
  let row = 0;
  for (const { path } of holdout)
    for await (const batch of reader.batches(path)) {
      const answered = await native.score(batch.columns, batch.rows);
      for (let at = 0; at < batch.rows; at += 1, row += 1)
        for (const column of columns)
          greatest = Math.max(
            greatest,
            differenceOf(column, answered[at * width + column.place], scores, row * width, row),
          );
    }
  return row === 0 ? null : greatest;
}

function differenceOf(
  { name, place, relative }: NativeColumn,
  native: unknown,
  scores: ScoredRows['scores'],
  start: number,
  row: number,
): number {
  const value = typeof native === 'number' ? native : Number.NaN;
  const difference = Math.abs(value - (scores[start + place] ?? Number.NaN));
  if (!Number.isFinite(difference))
    throw new PerdureError('training/failed', `The native model's ${name} of holdout row ${row} is not a number.`);
  return relative ? difference / Math.max(1, Math.abs(value)) : difference;
}
