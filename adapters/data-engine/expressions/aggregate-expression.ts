import { z } from 'zod';
import { quoteText } from '../quote-sql.js';
import type { DuckSession } from '../duck-session.js';
import { isAllowedAggregate } from './allowed-aggregates.js';
import { columnFinder } from './column-finder.js';
import { problemOfText, wrapped, type ParsedExpression } from './expression.js';
import { growthMax } from './expression-growth.js';
import { expressionTree, isRecord } from './expression-tree.js';
import { expressionInspector } from './inspect-expression.js';
import type { ColumnSources, SourceColumn } from './source-columns.js';

const serializedSchema = z.object({ sql: z.string() });

/**
 * Checks that a text is one SQL aggregate over rows: allowed aggregates of expressions over one row, and arithmetic
 * with their results. Nothing that it is given is evaluated.
 */
export async function parseAggregate(
  session: DuckSession,
  sources: ColumnSources,
  text: string,
): Promise<ParsedExpression> {
  const unreadable = problemOfText(text);
  if (unreadable !== undefined) return { problem: unreadable };
  const [serialized] = await session.rows(
    `SELECT json_serialize_sql(${quoteText(`SELECT ${wrapped(text)}`)}) AS sql`,
    serializedSchema,
  );
  const parsed = expressionTree(serialized?.sql ?? '{}');
  if ('problem' in parsed) return parsed;
  const inspect = expressionInspector(columnFinder(sources));
  const columns: SourceColumn[] = [];
  const taken: unknown[] = [];
  const around = withoutAggregates(parsed.tree, taken);
  if (isRecord(around) && typeof around.problem === 'string') return { problem: around.problem };
  const outside: SourceColumn[] = [];
  for (const [part, found] of [[around, outside] as const, ...taken.map((one) => [one, columns] as const)]) {
    const growth = inspect(part, found);
    if (typeof growth !== 'number') return growth;
    if (growth > growthMax) return { problem: 'it may make strings too long' };
  }
  if (taken.length === 0) return { problem: 'it has no aggregate, such as avg or sum: it must be one number' };
  const [bare] = outside;
  return bare === undefined
    ? { sql: wrapped(text), columns }
    : { problem: `${bare.column} stands outside of an aggregate: there is no single row to take it from` };
}

/** One number in the place of an aggregate. */
const constant = {
  class: 'CONSTANT',
  type: 'VALUE_CONSTANT',
  value: { type: { id: 'DOUBLE', type_info: null }, is_null: false, value: 1 },
};

/** The tree with a constant for each aggregate, whose arguments and filter are added to `found`; or a problem. */
function withoutAggregates(value: unknown, found: unknown[]): unknown {
  if (Array.isArray(value)) return firstProblem(value.map((one) => withoutAggregates(one, found)));
  if (!isRecord(value)) return value;
  if (value.class === 'FUNCTION' && isAllowedAggregate(String(value.function_name).toLowerCase())) {
    const problem = aggregateProblem(value);
    if (problem !== null) return { problem };
    const { children, filter } = value;
    found.push(Array.isArray(children) ? children : [], ...(isRecord(filter) ? [filter] : []));
    // Without a column, such as `count(*)`, there is still an aggregate.
    return constant;
  }
  const parts = Object.entries(value).map(([key, part]) => [key, withoutAggregates(part, found)] as const);
  const problem = firstProblem(parts.map(([, part]) => part));
  return Array.isArray(problem) ? Object.fromEntries(parts) : problem;
}

const firstProblem = (parts: unknown[]): unknown =>
  parts.find((part) => isRecord(part) && typeof part.problem === 'string') ?? parts;

function aggregateProblem(call: Record<string, unknown>): string | null {
  const name = String(call.function_name).toLowerCase();
  const schemas: unknown[] = [undefined, '', 'main'];
  if (!schemas.includes(call.schema) || (call.catalog ?? '') !== '')
    return `the function ${name} must be written without a schema`;
  const orders = isRecord(call.order_bys) && Array.isArray(call.order_bys.orders) ? call.order_bys.orders.length : 0;
  return orders > 0 ? `${name} with ORDER BY is not allowed` : null;
}
