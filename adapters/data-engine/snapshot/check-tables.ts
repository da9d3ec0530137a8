import { z } from 'zod';
import type { DataPolicy } from '../../../domain/data/data-policy.js';
import type { Partition } from '../../../domain/partition.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';
import { EXAMPLES_MAX, exampleSchema, keyTexts, type ReadTable } from './read-table.js';

const countSchema = z.object({ rows: z.coerce.number(), groups: z.coerce.number() });

/** Reports rows of a table that share a key. Nothing is checked where a key column has no usable values. */
export async function checkKey(
  session: DuckSession,
  read: ReadTable,
  table: DataPolicy['tables'][string],
): Promise<ValidationIssue[]> {
  const key = table.key;
  if (!key || key.some((column) => read.broken.has(column) || read.tainted.has(column))) return [];
  const names = key.map(quoteName).join(', ');
  const groups = `SELECT ${names}, count(*) AS "rows:" FROM ${read.loaded} GROUP BY ${names}
    HAVING count(*) > 1`;
  const [count] = await session.rows(
    `SELECT coalesce(sum("rows:"), 0) AS "rows", count(*) AS "groups" FROM (${groups})`,
    countSchema,
  );
  if (!count || count.groups === 0) return [];
  const examples = await session.rows(
    `SELECT ${keyTexts(table, key)}, CAST("rows:" AS VARCHAR) AS "rows" FROM (${groups}) ORDER BY ALL LIMIT ` +
      `${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const message =
    `${count.rows} rows of ${read.name} share ${count.groups} values of the key ` +
    `(${key.join(', ')}); each may occur only once. Remove the repeated rows.`;
  return [{ rule: 'duplicate-key', table: read.name, column: null, message, rows: count.rows, examples }];
}

/**
 * Reports rows of the base whose `year` and `month` columns, where both are declared, name another month than the
 * partition. Asked where no cadence is declared: else the event time says it.
 */
export async function checkPartition(
  session: DuckSession,
  read: ReadTable,
  table: DataPolicy['tables'][string],
  partition: Partition,
): Promise<ValidationIssue[]> {
  const usable = (column: string) => table.columns[column] === 'integer' && !read.broken.has(column);
  if (!usable('year') || !usable('month')) return [];
  const year = Number(partition.slice(0, 4));
  const month = Number(partition.slice(5));
  const elsewhere = `FROM ${read.loaded}
    WHERE "year" IS DISTINCT FROM ${year} OR "month" IS DISTINCT FROM ${month}`;
  const [count] = await session.rows(
    `SELECT count(*) AS "rows", count(DISTINCT ("year", "month")) AS "groups" ${elsewhere}`,
    countSchema,
  );
  if (!count || count.rows === 0) return [];
  const shown = [...new Set([...(table.key ?? []), 'year', 'month'])].filter((column) => !read.broken.has(column));
  const examples = await session.rows(
    `SELECT ${keyTexts(table, shown)} ${elsewhere} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const message =
    `${count.rows} rows of ${read.name} are not of month ${partition} by their year and month ` +
    'columns. Put them into their own partition.';
  return [{ rule: 'wrong-partition', table: read.name, column: 'month', message, rows: count.rows, examples }];
}
