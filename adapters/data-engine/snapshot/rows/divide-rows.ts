import { z } from 'zod';
import type { Contract } from '../../../../domain/data/contract.js';
import type { RowSplit } from '../../../../domain/data/split-policy.js';
import type { DuckSession } from '../../duck-session.js';
import { parquetTable, quoteName } from '../../quote-sql.js';
import { writeRows } from './write-rows.js';

/** The rows of one file that are on one side: fold `part`, or 0 for training and 1 for the holdout. */
export interface FilePart {
  /** Of the files that were given. */
  file: number;
  part: number;
  path: string;
  sha256: string;
  bytes: number;
  rows: number;
  positives: number;
}

const rowsTable = quoteName('table:rows:');
const partsTable = quoteName('table:parts:');
const countSchema = z.object({
  file: z.coerce.number(),
  part: z.coerce.number(),
  rows: z.coerce.number(),
});

/**
 * Divides the rows of a window's shaped files. A side or fold depends on the rows and the seed, never on the order of
 * files or rows. Parts keep the order of their rows, so that the same rows give the same bytes.
 * @param until rows of a later event are left out
 * @param session with one thread, which may read the files and write below `folder`
 */
export async function divideRows(
  session: DuckSession,
  {
    files,
    split,
    contract,
    folder,
    until,
  }: { files: readonly string[]; split: RowSplit; contract: Contract; folder: string; until?: Date | undefined },
): Promise<FilePart[]> {
  await session.run(
    `CREATE TABLE ${rowsTable} ` +
      '(file INTEGER, position BIGINT, chance UBIGINT, event TIMESTAMP, class VARCHAR, grouped VARCHAR)',
  );
  for (const [index, file] of files.entries())
    await session.run(
      `INSERT INTO ${rowsTable} SELECT * FROM (SELECT ${index}, row_number() OVER (), ${columnsOf(split, contract)} ` +
        `FROM ${parquetTable(file)}) AS r(file, position, chance, event, class, grouped)` +
        (until ? ` WHERE event <= make_timestamp(${until.getTime() * 1000})` : ''),
    );
  await session.run(
    `CREATE TABLE ${partsTable} AS SELECT file, position, ${partOf(split)} AS part FROM ${source(split)}`,
  );
  const counts = await session.rows(
    `SELECT file, part, count(*) AS rows FROM ${partsTable} GROUP BY ALL ORDER BY ALL`,
    countSchema,
  );
  const parts: FilePart[] = [];
  for (const { file: index, part, rows } of counts) {
    const positions = `SELECT position FROM ${partsTable} WHERE file = ${index} AND part = ${part}`;
    const written = await writeRows(session, { file: files[index] ?? '', positions, contract, folder });
    parts.push({ file: index, part, rows, ...written });
  }
  return parts;
}

/** The chance of a row is a hash of its entity: the same in every run. */
function columnsOf({ group, seed = 0 }: RowSplit, { entity, eventTime, label }: Contract): string {
  const text = (column: string) => `coalesce(CAST(${quoteName(column)} AS VARCHAR), '')`;
  const hash = (columns: readonly string[]) =>
    `md5_number_lower(concat_ws(chr(31), '${seed}', ${columns.map(text).join(', ')}))`;
  return [
    hash(group === undefined ? entity : [group]),
    quoteName(eventTime),
    label === undefined ? "''" : text(label.name),
    group === undefined ? "''" : text(group),
  ].join(', ');
}

/** Places among all rows; ties of the hash are the same entity, told apart by time and content. */
const randomOrder = 'chance, event, file, position';

function source({ by, kind }: RowSplit): string {
  const groups =
    `(SELECT grouped, row_number() OVER (ORDER BY count(*) DESC, any_value(chance), grouped) - 1 AS place ` +
    `FROM ${rowsTable} GROUP BY grouped)`;
  return by === 'group' && kind === 'folds' ? `${rowsTable} JOIN ${groups} USING (grouped)` : rowsTable;
}

function partOf(split: RowSplit): string {
  if (split.kind === 'share') {
    const share = split.holdoutPct / 100;
    // Rows of one moment are never on both sides.
    if (split.by === 'time')
      return `CAST(rank() OVER (ORDER BY event) - 1 >= count(*) OVER () * ${1 - share} AS INTEGER)`;
    if (split.stratify === true)
      return (
        `CAST(row_number() OVER (PARTITION BY class ORDER BY ${randomOrder}) <= ` +
        `round(count(*) OVER (PARTITION BY class) * ${share}) AS INTEGER)`
      );
    return `CAST(chance % 1000000 < ${Math.round(share * 1e6)} AS INTEGER)`;
  }
  const { folds, by, stratify } = split;
  if (by === 'time') return `(rank() OVER (ORDER BY event) - 1) * ${folds + 1} // count(*) OVER ()`;
  // The largest groups first, there and back over the folds, so that none gets much more than another.
  if (by === 'group')
    return `CASE WHEN place // ${folds} % 2 = 0 THEN place % ${folds} ELSE ${folds - 1} - place % ${folds} END`;
  const order = stratify === true ? `class, ${randomOrder}` : randomOrder;
  return `(row_number() OVER (ORDER BY ${order}) - 1) % ${folds}`;
}
