import { z } from 'zod';
import type { ColumnType, ElementType } from '../../../domain/data/data-policy.js';
import { messageOf } from '../../../domain/errors.js';
import { storedTypes } from '../snapshot/column-type.js';
import { isQueryError, type DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';
import type { ColumnSources, SourceColumn } from './source-columns.js';

export interface BoundExpression {
  sql: string;
  columns: readonly SourceColumn[];
}

const typeSchema = z.object({ column_type: z.string() });

/**
 * Values that a row may hold. An expression that fails on all of these rows fails by what it says itself, not by the
 * data.
 */
const probes: readonly Record<ColumnType, string | null>[] = [
  { integer: null, number: null, string: null, timestamp: null, boolean: null },
  { integer: '1', number: '1.5', string: 'a', timestamp: '2024-01-31', boolean: 'true' },
  { integer: '0', number: '0', string: '1', timestamp: '2024-01-31', boolean: 'false' },
  { integer: '7', number: '7', string: '2024-01-31', timestamp: '2024-01-31', boolean: 'true' },
].map((row) => ({ ...row, ...lists(row) }));

function lists(row: Record<ElementType, string | null>) {
  const list = (type: ElementType) => (row[type] === null ? null : `[${row[type]}]`);
  return {
    'integer[]': list('integer'),
    'number[]': list('number'),
    'string[]': list('string'),
    'timestamp[]': list('timestamp'),
    'boolean[]': list('boolean'),
  };
}

/**
 * The SQL type of each expression over one row of the tables as they are declared, or what is wrong with it: what
 * training would meet, without any data. Sound expressions are bound in one query however many they are.
 */
export async function bindExpressions(
  session: DuckSession,
  sources: ColumnSources,
  expressions: readonly BoundExpression[],
): Promise<({ type: string } | { problem: string })[]> {
  if (expressions.length === 0) return [];
  try {
    const from = probeRow(sources, expressions, probes[0]!);
    const list = expressions.map(({ sql }, index) => `${sql} AS ${quoteName(String(index))}`).join(', ');
    const types = await session.rows(`DESCRIBE SELECT ${list} FROM ${from}`, typeSchema);
    await session.run(`SELECT ${list} FROM ${from}`);
    return types.map(({ column_type: type }) => ({ type }));
  } catch (error) {
    if (!isQueryError(error)) throw error;
    const [only] = expressions;
    if (only && expressions.length === 1) return [await bindOne(session, sources, only)];
    const middle = Math.ceil(expressions.length / 2);
    const left = await bindExpressions(session, sources, expressions.slice(0, middle));
    return [...left, ...(await bindExpressions(session, sources, expressions.slice(middle)))];
  }
}

async function bindOne(
  session: DuckSession,
  sources: ColumnSources,
  expression: BoundExpression,
): Promise<{ type: string } | { problem: string }> {
  let problem = 'it cannot be computed';
  for (const probe of probes) {
    try {
      const query = `SELECT ${expression.sql} AS v FROM ${probeRow(sources, [expression], probe)}`;
      const [row] = await session.rows(`DESCRIBE ${query}`, typeSchema);
      await session.run(query);
      return { type: row?.column_type ?? '' };
    } catch (error) {
      if (!isQueryError(error)) throw error;
      problem = firstLine(error);
    }
  }
  return { problem };
}

/**
 * One row with the columns that are read: those of the base bare, those of joined tables bare and in a struct named
 * after their table.
 */
function probeRow(
  sources: ColumnSources,
  expressions: readonly BoundExpression[],
  probe: Record<ColumnType, string | null>,
): string {
  const base = sources[0]?.name ?? '';
  const value = (type: ColumnType) => {
    const text = probe[type];
    return text === null ? `CAST(NULL AS ${storedTypes[type]})` : `CAST('${text}' AS ${storedTypes[type]})`;
  };
  const bare = new Map<string, { column: string; sql: string }>();
  const structs = new Map<string, Map<string, string>>();
  for (const { table, column, type } of expressions.flatMap(({ columns }) => columns)) {
    const name = column.toLowerCase();
    if (table === base || !bare.has(name)) bare.set(name, { column, sql: value(type) });
    if (table === base) continue;
    const struct = structs.get(table) ?? new Map<string, string>();
    structs.set(table, struct.set(column, value(type)));
  }
  const selected = [
    ...[...bare.values()].map(({ column, sql }) => `${sql} AS ${quoteName(column)}`),
    ...[...structs].map(
      ([table, columns]) =>
        `struct_pack(${[...columns].map(([column, sql]) => `${quoteName(column)} := ${sql}`).join(', ')}) AS ` +
        `${quoteName(table)}`,
    ),
  ];
  return `(SELECT ${selected.join(', ') || '1 AS "nothing:"'}) AS ${quoteName(base)}`;
}

export function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0]?.replace(/[.!]$/, '') ?? '';
}
