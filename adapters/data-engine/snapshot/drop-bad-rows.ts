import { rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Contract } from '../../../domain/data/contract.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName, quoteText } from '../quote-sql.js';
import type { RowIssue } from './check-contract.js';
import { shapedTable, type ShapedColumn } from './shape-rows.js';
import { fileDigest } from './write-partition.js';

export interface DroppedRows {
  rows: number;
  /** Parquet with the entity of each dropped row, and the rules that it broke. */
  path: string;
  sha256: string;
}

const badTable = quoteName('table:bad:');
const countSchema = z.object({ bad: z.coerce.number(), rows: z.coerce.number() });

/**
 * Takes the rows that broke a rule out of `shapedTable`, and writes down which they were. Undefined, and nothing is
 * changed, where no row would be left.
 */
export async function dropBadRows(
  session: DuckSession,
  {
    contract,
    columns,
    found,
    folder,
    outDir,
  }: {
    contract: Contract;
    columns: readonly ShapedColumn[];
    found: readonly RowIssue[];
    folder: string;
    outDir: string;
  },
): Promise<DroppedRows | undefined> {
  const entity = contract.entity.filter((name) => columns.some((column) => column.name === name)).map(quoteName);
  const broken = quoteName(brokenColumn(contract));
  const rules = found.map(({ issue: { rule, column }, predicate }) => {
    const text = column === null ? rule : `${rule} ${column}`;
    return `CASE WHEN ${predicate} THEN ${quoteText(text)} END`;
  });
  const shown = [...entity, `concat_ws('; ', ${rules.join(', ')}) AS ${broken}`].join(', ');
  await session.run(
    `CREATE TABLE ${badTable} AS SELECT * FROM (SELECT rowid AS "row:", ${shown} FROM ${shapedTable}) ` +
      `WHERE ${broken} <> ''`,
  );
  const [count] = await session.rows(
    `SELECT (SELECT count(*) FROM ${badTable}) AS bad, (SELECT count(*) FROM ${shapedTable}) AS rows`,
    countSchema,
  );
  if (!count || count.bad === count.rows) return undefined;
  const written = path.join(folder, 'dropped.parquet');
  await session.run(
    `COPY (SELECT * EXCLUDE ("row:") FROM ${badTable} ORDER BY ALL) TO ${quoteText(written)} ` +
      '(FORMAT parquet, COMPRESSION zstd)',
  );
  await session.run(`DELETE FROM ${shapedTable} WHERE rowid IN (SELECT "row:" FROM ${badTable})`);
  const sha256 = await fileDigest(written);
  const target = path.join(outDir, `dropped-${sha256}.parquet`);
  await rename(written, target);
  return { rows: count.bad, path: target, sha256 };
}

/** A name that no column of the entity has. */
const brokenColumn = ({ entity }: Contract): string =>
  entity.includes('broken_rules') ? 'broken_rules:' : 'broken_rules';
