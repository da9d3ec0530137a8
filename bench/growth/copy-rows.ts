import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';

/**
 * Copies rows of a table within it: columns named here get another value, all others, those of later releases too, are
 * taken over.
 * @param from what to copy, in SQL: `"TABLE" s` joined with whatever `set` names
 * @param set column of the database → SQL
 */
export async function copyRows(
  sql: postgres.Sql,
  table: PgTable,
  from: string,
  set: Record<string, string>,
): Promise<number> {
  const columns = Object.values(getTableColumns(table))
    .filter((column) => column.generatedIdentity === undefined)
    .map(({ name }) => name);
  const unknown = Object.keys(set).filter((name) => !columns.includes(name));
  if (unknown.length > 0) throw new Error(`${getTableName(table)} has no column ${unknown.join(', ')}`);
  const quoted = columns.map((name) => `"${name}"`).join(', ');
  const values = columns.map((name) => set[name] ?? `s."${name}"`).join(', ');
  const { count } = await sql.unsafe(
    `insert into "${getTableName(table)}" (${quoted}) select ${values} from "${getTableName(table)}" s ${from}`,
  );
  return count;
}
