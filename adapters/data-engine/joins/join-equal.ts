import { z } from 'zod';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { quoteName } from '../quote-sql.js';
import { joinText, rightColumns, type JoinedRows, type JoinStep } from './join-step.js';
import { EXAMPLES_MAX, exampleSchema, keyTexts } from '../snapshot/read-table.js';

const countSchema = z.object({ base_rows: z.coerce.number(), keys: z.coerce.number() });

/** The row with equal columns. Repeated rows are reported and cut to one, so that later checks count base rows. */
export async function joinEqual(step: JoinStep): Promise<JoinedRows> {
  const { alias, on, right } = step;
  const issues = await multiplied(step);
  const once =
    issues.length > 0
      ? `(SELECT * FROM ${right} QUALIFY row_number() OVER (PARTITION BY ${rightColumns(step).join(', ')}) = 1)`
      : right;
  const equal = on.map((pair) => `${pair.left} = ${alias}.${quoteName(pair.right)}`).join(' AND ');
  return {
    clause: `LEFT JOIN ${once} ${alias} ON ${equal}`,
    value: (column) => `${alias}.${quoteName(column)}`,
    issues,
  };
}

async function multiplied(step: JoinStep): Promise<ValidationIssue[]> {
  const { session, join, on, right, before, table, base } = step;
  const keys = rightColumns(step).join(', ');
  const repeated = `(SELECT ${keys}, count(*) AS "rows:" FROM ${right} GROUP BY ${keys} HAVING count(*) > 1)`;
  const own = rightColumns(step, 'r.').join(', ');
  const equal = on.map((pair) => `${pair.left} = r.${quoteName(pair.right)}`).join(' AND ');
  const matched =
    `SELECT ${own}, any_value(r."rows:") AS "rows:", count(*) AS "base:" ` +
    `FROM ${before} JOIN ${repeated} r ON ${equal} GROUP BY ${own}`;
  const [count] = await session.rows(
    `SELECT coalesce(sum("base:"), 0) AS base_rows, count(*) AS keys FROM (${matched})`,
    countSchema,
  );
  if (!count || count.keys === 0) return [];
  const shown = keyTexts(
    table,
    on.map((pair) => pair.right),
  );
  const examples = await session.rows(
    `SELECT ${shown}, CAST("rows:" AS VARCHAR) AS "rows" FROM (${matched}) ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const message =
    `Joining ${joinText(step)} would multiply ${count.base_rows} rows of ` +
    `${base}: ${count.keys} values occur more than once in ${join.table}. Keep one row for each.`;
  return [{ rule: 'join-multiplies-rows', table: join.table, column: null, message, rows: count.base_rows, examples }];
}
