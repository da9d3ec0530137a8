import type { OfferedColumn } from '../../adapters/data-engine/offered-columns.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import { loggedScores, predictedNames, vectorDigest, type LoggedAnswers } from './logged-answers.js';
import type { LoggedBlock } from './logged-block.js';
import { textAt, type StagedTexts } from './staged-texts.js';

/** What is logged of the answers: columns to offer, and the log's columns made of them, as SQL. */
export function answerColumns(
  blocks: readonly LoggedBlock[],
  answers: LoggedAnswers,
  texts: StagedTexts,
): { columns: OfferedColumn[]; sql: Record<string, string> } {
  const rows = rowsIn(blocks);
  const { width, columns: logged } = loggedScores(answers);
  const columns: OfferedColumn[] = [];
  const sql: Record<string, string> = {};
  const { predictedColumn } = taskOf(answers);
  if (predictedColumn === 'label') {
    columns.push({ name: 'label', type: 'INTEGER', values: joined(new Int32Array(rows), blocks, 'positives') });
    sql['label'] = 'label = 1';
  } else if (predictedColumn === 'predicted') {
    const codes = blocks.flatMap((block) => (predictedNames(block) ?? []).map((name) => texts.codeOf(name)));
    const predicted: OfferedColumn = { name: 'predicted', type: 'INTEGER', values: Int32Array.from(codes) };
    columns.push(predicted);
    sql['predicted'] = textAt(predicted);
  }
  const scores = joined(new Float32Array(rows * width), blocks, 'scores');
  const numbersAt = (at: number) => Float32Array.from({ length: rows }, (_, row) => scores[row * width + at] ?? NaN);
  for (const { column, from, width: many, digested } of logged) {
    if (digested === true) {
      const digests = Array.from({ length: rows }, (_, row) =>
        vectorDigest(scores.subarray(row * width + from, row * width + from + (many ?? 1))),
      );
      const norms = Float64Array.from(digests, ({ norm }) => norm);
      const codes = Int32Array.from(digests, ({ sha256 }) => texts.codeOf(sha256));
      const sha256: OfferedColumn = { name: `${column}_sha256`, type: 'INTEGER', values: codes };
      columns.push({ name: `${column}_norm`, type: 'DOUBLE', values: norms }, sha256);
      sql[`${column}_norm`] = `${column}_norm`;
      sql[`${column}_sha256`] = textAt(sha256);
      continue;
    }
    const names = Array.from({ length: many ?? 1 }, (_, place) => `o${from + place}`);
    columns.push(
      ...names.map((name, place): OfferedColumn => ({ name, type: 'FLOAT', values: numbersAt(from + place) })),
    );
    sql[column] = many === null ? `CAST(${names[0] ?? 'NULL'} AS DOUBLE)` : `[${names.join(', ')}]`;
  }
  return { columns, sql };
}

/** What the blocks hold, one after the other. */
function joined<Numbers extends Int32Array | Float32Array>(
  all: Numbers,
  blocks: readonly LoggedBlock[],
  name: 'scores' | 'positives',
): Numbers {
  let place = 0;
  for (const block of blocks) {
    all.set(block[name], place);
    place += block[name].length;
  }
  return all;
}

export const rowsIn = (blocks: readonly LoggedBlock[]): number => blocks.reduce((sum, block) => sum + block.rows, 0);
