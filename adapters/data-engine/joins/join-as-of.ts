import { z } from 'zod';
import { reachUs, takesExact } from '../../../domain/data/join.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { quoteName } from '../quote-sql.js';
import { joinText, rightColumns, type JoinedRows, type JoinStep } from './join-step.js';
import { EXAMPLES_MAX, exampleSchema, keyTexts } from '../snapshot/read-table.js';

const countSchema = z.object({ base_rows: z.coerce.number(), moments: z.coerce.number() });

/**
 * The newest row of the key at or before the moment of the base row, within the tolerance. A null in a key or a time
 * matches nothing. Several rows of one key and time are an error where a base row meets them, unless `orderBy` says
 * which of them counts.
 */
export async function joinAsOf(step: JoinStep): Promise<JoinedRows> {
  const { session, join, alias, on, moment, used } = step;
  const time = join.asOf?.time ?? '';
  const candidates = quoteName(`as-of:${alias}`);
  await session.run(`CREATE TABLE ${candidates} AS ${candidateRows(step, time)}`);
  const at = `${alias}.${quoteName(time)}`;
  const matches = [
    ...on.map((pair) => `${pair.left} = ${alias}.${quoteName(pair.right)}`),
    `${moment} ${takesExact(join) ? '>=' : '>'} ${at}`,
  ].join(' AND ');
  const tolerance = reachUs(join);
  // A missing moment sorts last for DuckDB, and would meet the newest row of all.
  const near = [`${moment} IS NOT NULL`, ...on.map(({ left }) => `${left} IS NOT NULL`)];
  if (tolerance !== undefined) near.push(`coalesce(TRY(epoch_us(${moment}) - epoch_us(${at}) <= ${tolerance}), false)`);
  const within = near.join(' AND ');
  return {
    clause: `ASOF LEFT JOIN ${candidates} ${alias} ON ${matches}`,
    value: (column) => `CASE WHEN ${within} THEN ${alias}.${quoteName(column)} END`,
    issues: used.length === 0 ? [] : await tied(step, { candidates, matches, within, time }),
  };
}

/** One row for each key and time, with how many there are that nothing tells apart. */
function candidateRows({ join, on, right, used }: JoinStep, time: string): string {
  const orderBy = join.asOf?.orderBy ?? [];
  const keys = rightColumns({ on });
  const moment = [...keys, quoteName(time)];
  const columns = [...new Set([...moment, ...[...orderBy, ...used].map(quoteName)])].join(', ');
  const present = moment.map((column) => `${column} IS NOT NULL`).join(' AND ');
  const known = `SELECT ${columns} FROM ${right} WHERE ${present}`;
  const last = orderBy.map((column) => `${quoteName(column)} DESC NULLS LAST`).join(', ');
  const counted =
    orderBy.length === 0
      ? known
      : `${known} QUALIFY rank() OVER (PARTITION BY ${moment.join(', ')} ORDER BY ${last}) = 1`;
  return (
    `SELECT *, count(*) OVER (PARTITION BY ${moment.join(', ')}) AS "rows:" FROM (${counted}) ` +
    `QUALIFY row_number() OVER (PARTITION BY ${moment.join(', ')} ORDER BY ${columns}) = 1`
  );
}

async function tied(
  step: JoinStep,
  { candidates, matches, within, time }: { candidates: string; matches: string; within: string; time: string },
): Promise<ValidationIssue[]> {
  const { session, join, on, alias, before, table, base } = step;
  const [any] = await session.rows(
    `SELECT count(*) AS base_rows, count(*) AS moments FROM ${candidates} WHERE "rows:" > 1`,
    countSchema,
  );
  if (!any || any.moments === 0) return [];
  const columns = [...new Set([...on.map((pair) => pair.right), time])];
  const moment = columns.map((column) => `${alias}.${quoteName(column)}`).join(', ');
  const met =
    `SELECT ${moment}, any_value(${alias}."rows:") AS "rows:", count(*) AS "base:" FROM ${before} ` +
    `ASOF JOIN ${candidates} ${alias} ON ${matches} WHERE ${alias}."rows:" > 1 AND ${within} GROUP BY ${moment}`;
  const [count] = await session.rows(
    `SELECT coalesce(sum("base:"), 0) AS base_rows, count(*) AS moments FROM (${met})`,
    countSchema,
  );
  if (!count || count.moments === 0) return [];
  const examples = await session.rows(
    `SELECT ${keyTexts(table, columns)}, CAST("rows:" AS VARCHAR) AS "rows" FROM (${met}) ORDER BY ALL ` +
      `LIMIT ${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const among = join.asOf?.orderBy ? ` and of one ${join.asOf.orderBy.join(', ')}` : '';
  const message =
    `The as-of join of ${joinText(step)} is ambiguous for ${count.base_rows} rows of ${base}: at ${count.moments} ` +
    `moments of ${time} ${join.table} has several rows of one key${among}. Keep one row for each, or say with ` +
    'asOf.orderBy which of them counts.';
  return [{ rule: 'as-of-tie', table: join.table, column: time, message, rows: count.base_rows, examples }];
}
