import { createHash } from 'node:crypto';
import { z } from 'zod';
import { taskOf } from '../../domain/tasks/task-of.js';
import { classNameSchema, taskNameSchema, type LoggedOutput } from '../../domain/tasks/task.js';

/** What decides how the scores of a block are logged: a version's task, and the shape of its answers. */
export const loggedAnswersSchema = z.object({
  task: taskNameSchema,
  classes: z.array(classNameSchema).readonly(),
  quantiles: z.array(z.number()).readonly(),
  length: z.number().int(),
});
export type LoggedAnswers = z.infer<typeof loggedAnswersSchema>;

/** Of a line that says nothing of it: there was no other task then, and there need not be a word of it now. */
export const yesOrNo: LoggedAnswers = { task: 'binary', classes: [0, 1], quantiles: [], length: 0 };

/** The scores of a row that are logged: those from `from` on, `width` of them. */
export function loggedScores(answers: LoggedAnswers): { from: number; width: number; columns: LoggedOutput[] } {
  const columns = taskOf(answers).logged(answers);
  const from = Math.min(...columns.map((column) => column.from));
  const end = Math.max(...columns.map((column) => column.from + (column.width ?? 1)));
  return { from, width: end - from, columns: columns.map((column) => ({ ...column, from: column.from - from })) };
}

/** Logged scores, row-major. */
interface LoggedRows {
  answers: LoggedAnswers;
  scores: Float32Array<ArrayBuffer>;
  /** Of a task that draws a line by a threshold: 1 where a row is beyond it. */
  positives: ArrayLike<number>;
}

/** The name of the class that is predicted for each row; undefined where the log holds none by name. */
export function predictedNames({ answers, scores }: LoggedRows): string[] | undefined {
  const task = taskOf(answers);
  if (task.predictedColumn !== 'predicted' || task.predictedClasses === null) return undefined;
  const places = task.predictedClasses({ values: scores, width: loggedScores(answers).width }, 0.5);
  return Array.from(places, (place) => String(answers.classes[place] ?? ''));
}

/** What the log holds of the answer to each row, by column. */
export function loggedAnswerRows(rows: LoggedRows): Record<string, unknown>[] {
  const { answers, scores, positives } = rows;
  const { width, columns } = loggedScores(answers);
  const { predictedColumn } = taskOf(answers);
  const names = predictedNames(rows);
  return Array.from({ length: scores.length / width }, (_, row) => {
    const own = scores.subarray(row * width, (row + 1) * width);
    const values = columns.flatMap(({ column, from, width: many, digested }): [string, unknown][] => {
      if (many === null) return [[column, own[from]]];
      const list = own.subarray(from, from + many);
      if (digested !== true) return [[column, Array.from(list)]];
      const { norm, sha256 } = vectorDigest(list);
      return [
        [`${column}_norm`, norm],
        [`${column}_sha256`, sha256],
      ];
    });
    const predicted = predictedColumn === 'label' ? positives[row] === 1 : names?.[row];
    return { ...Object.fromEntries(values), ...(predictedColumn !== null && { [predictedColumn]: predicted }) };
  });
}

/** What is logged of a vector that is too long to be kept. */
export function vectorDigest(vector: Float32Array): { norm: number; sha256: string } {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  return { norm: Math.sqrt(squares), sha256: createHash('sha256').update(bytes).digest('hex') };
}
