import { z } from 'zod';
import type { DuckSession } from './duck-session.js';
import { quoteText } from './quote.js';
import { resolveColumn, type ColumnSources, type SourceColumn } from './source-columns.js';

export type ParsedExpression = { sql: string; columns: SourceColumn[] } | { problem: string };

/** What may stand in an expression over one row. Subqueries, window functions, parameters, lambdas and `*` may not. */
const allowedClasses = new Set(['COLUMN_REF', 'CONSTANT', 'FUNCTION', 'COMPARISON', 'CONJUNCTION', 'CAST', 'OPERATOR', 'CASE', 'BETWEEN']);

const serializedSchema = z.object({ sql: z.string() });
const parsedSchema = z.object({
  error: z.boolean(),
  error_message: z.string().optional(),
  statements: z.array(z.object({ node: z.record(z.string(), z.unknown()) })).optional(),
});
const functionRowSchema = z.object({ name: z.string(), usable: z.boolean() });

export interface ExpressionParser {
  /** Checks that `text` is one scalar expression over a single row, always with the same result, and finds the columns that it reads. */
  parse(text: string): Promise<ParsedExpression>;
}

/** Reads DuckDB's own list of functions once: aggregates and those that depend on time, chance or session are refused. */
export async function createExpressionParser(session: DuckSession, data: ColumnSources): Promise<ExpressionParser> {
  const functions = await session.rows(
    `SELECT lower(function_name) AS name, bool_and(function_type IN ('scalar', 'macro') AND coalesce(stability, 'CONSISTENT') = 'CONSISTENT') AS usable
     FROM duckdb_functions() GROUP BY ALL`,
    functionRowSchema,
  );
  const usable = new Map(functions.map((row) => [row.name, row.usable]));

  async function parse(text: string): Promise<ParsedExpression> {
    // Line breaks keep a trailing `--` comment from swallowing the parenthesis.
    const sql = `(\n${text}\n)`;
    const [row] = await session.rows(`SELECT json_serialize_sql(${quoteText(`SELECT ${sql}`)}) AS sql`, serializedSchema);
    const parsed = parsedSchema.parse(JSON.parse(row?.sql ?? '{}'));
    if (parsed.error)
      return { problem: `${parsed.error_message ?? 'it is not SQL'} (a column whose name is an SQL word needs double quotes)` };
    const expression = onlyExpression(parsed.statements ?? []);
    if (expression === undefined) return { problem: 'it must be one SQL expression, not a statement' };
    const columns: SourceColumn[] = [];
    const problem = inspect(expression, columns);
    return problem === undefined ? { sql, columns } : { problem };
  }

  function inspect(value: unknown, columns: SourceColumn[]): string | undefined {
    if (Array.isArray(value)) return value.map((item) => inspect(item, columns)).find((problem) => problem !== undefined);
    if (!isRecord(value)) return undefined;
    if (typeof value.class === 'string') {
      if (!allowedClasses.has(value.class))
        return `a ${value.class.toLowerCase().replaceAll('_', ' ')} is not allowed: a feature is computed from one row`;
      if (value.class === 'FUNCTION') {
        const name = String(value.function_name).toLowerCase();
        const known = usable.get(name);
        if (known === undefined) return `there is no function ${name}`;
        // `age` of one argument counts from today.
        const dependsOnToday = name === 'age' && Array.isArray(value.children) && value.children.length === 1;
        if (!known || dependsOnToday) return `the function ${name} is not allowed: the same row must always give the same value`;
      }
      if (value.class === 'COLUMN_REF') {
        const resolved = resolveColumn(data, z.array(z.string()).parse(value.column_names));
        if ('problem' in resolved) return resolved.problem;
        columns.push(resolved.found);
      }
    }
    return inspect(Object.values(value), columns);
  }

  return { parse };
}

/** The expression of `SELECT expression` and nothing else, or undefined when there is more to the statement than that. */
function onlyExpression(statements: readonly { node: Record<string, unknown> }[]): unknown {
  const node = statements[0]?.node;
  if (!node || statements.length !== 1 || node.type !== 'SELECT_NODE') return undefined;
  const { select_list: list, from_table: from } = node;
  const plain = ['where_clause', 'having', 'sample', 'qualify'].every((part) => node[part] === null);
  const bare = [node.modifiers, node.group_expressions].every((part) => Array.isArray(part) && part.length === 0);
  if (!plain || !bare || !isRecord(from) || from.type !== 'EMPTY') return undefined;
  return Array.isArray(list) && list.length === 1 ? list[0] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
