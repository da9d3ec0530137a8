import { z } from 'zod';
import type { DataPolicy } from '../../../domain/data/data-policy.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';
import { EXAMPLES_MAX, exampleSchema, keyTexts, loadedTable, type ReadTable } from './read-table.js';
import type { SourceColumn } from '../expressions/source-columns.js';

/**
 * The view of base rows with the columns of joined tables that are used: bare where unambiguous, and in a struct named
 * after the table.
 */
export const joinedView = quoteName('view:joined');

const countSchema = z.object({ base_rows: z.coerce.number(), keys: z.coerce.number() });

/**
 * Creates the joined view and reports joins that would multiply rows. The view holds each base row once even then: the
 * repeated rows on the right are cut to one, so that later checks count base rows. A table without usable join columns
 * is joined as all missing.
 */
export async function joinTables(
  session: DuckSession,
  data: DataPolicy,
  read: ReadonlyMap<string, ReadTable>,
  used: readonly SourceColumn[],
): Promise<ValidationIssue[]> {
  const issues: ValidationIssue[] = [];
  const base = data.tables[data.base];
  if (!base) return issues;
  const usedOf = (table: string) => [...new Set(used.filter((one) => one.table === table).map(({ column }) => column))];
  const selected = usedOf(data.base).map((column) => `b.${quoteName(column)}`);
  // A bare name is the base's column, if it has one, else that of the first table; the parser has refused a bare name
  // that two tables share.
  const bare = new Set(Object.keys(base.columns).map((column) => column.toLowerCase()));
  const clauses: string[] = [];
  for (const [index, join] of data.joins.entries()) {
    const right = data.tables[join.table];
    if (!right) continue;
    const alias = `j${index}`;
    const works = join.on.every(
      (column) => !read.get(data.base)?.broken.has(column) && !read.get(join.table)?.broken.has(column),
    );
    const found = works ? await multiplied(session, data, join) : [];
    issues.push(...found);
    const on = join.on.map(quoteName);
    const once =
      found.length > 0
        ? `(SELECT * FROM ${loadedTable(join.table)} QUALIFY row_number() OVER (PARTITION BY ${on.join(', ')}) = 1)`
        : loadedTable(join.table);
    clauses.push(
      `LEFT JOIN ${once} ${alias} ON ` +
        `${works ? on.map((column) => `b.${column} = ${alias}.${column}`).join(' AND ') : 'false'}`,
    );
    const columns = usedOf(join.table);
    if (columns.length === 0) continue;
    for (const column of columns) {
      if (bare.has(column.toLowerCase())) continue;
      bare.add(column.toLowerCase());
      selected.push(`${alias}.${quoteName(column)}`);
    }
    selected.push(
      `struct_pack(${columns.map((column) => `${quoteName(column)} := ${alias}.${quoteName(column)}`).join(', ')}) ` +
        `AS ${quoteName(join.table)}`,
    );
  }
  await session.run(
    `CREATE VIEW ${joinedView} AS SELECT ${selected.join(', ') || '1 AS "nothing:"'} FROM ` +
      `${loadedTable(data.base)} b ${clauses.join(' ')}`,
  );
  return issues;
}

async function multiplied(
  session: DuckSession,
  data: DataPolicy,
  join: DataPolicy['joins'][number],
): Promise<ValidationIssue[]> {
  const right = data.tables[join.table];
  if (!right) return [];
  const on = join.on.map(quoteName).join(', ');
  const repeated = `(SELECT ${on}, count(*) AS "rows:" FROM ${loadedTable(join.table)} GROUP BY ${on}
    HAVING count(*) > 1)`;
  const matched =
    `SELECT ${on}, any_value("rows:") AS "rows:", count(*) AS "base:" FROM ` +
    `${loadedTable(data.base)} JOIN ${repeated} USING (${on}) GROUP BY ${on}`;
  const [count] = await session.rows(
    `SELECT coalesce(sum("base:"), 0) AS base_rows, count(*) AS keys FROM (${matched})`,
    countSchema,
  );
  if (!count || count.keys === 0) return [];
  const examples = await session.rows(
    `SELECT ${keyTexts(right, join.on)}, CAST("rows:" AS VARCHAR) AS "rows" FROM (${matched}) ORDER BY ALL ` +
      `LIMIT ${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const message =
    `Joining ${join.table} on ${join.on.join(', ')} would multiply ${count.base_rows} rows of ` +
    `${data.base}: ${count.keys} values occur more than once in ${join.table}. Keep one row for each.`;
  return [{ rule: 'join-multiplies-rows', table: join.table, column: null, message, rows: count.base_rows, examples }];
}
