import { z } from 'zod';
import { allowedOperators, allowedTypes, isAllowedFunction } from './allowed-functions.js';
import { columnFinder } from './column-finder.js';
import type { DuckSession } from '../duck-session.js';
import { growthMax, growthOf } from './expression-growth.js';
import { expressionTree, isRecord } from './expression-tree.js';
import { quoteText } from '../quote-sql.js';
import type { ColumnSources, SourceColumn } from './source-columns.js';

export type ParsedExpression = { sql: string; columns: SourceColumn[] } | { problem: string };

/**
 * What may stand in an expression over one row. Subqueries, window functions, parameters, lambdas, collations and `*`
 * may not.
 */
const allowedClasses = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'FUNCTION',
  'COMPARISON',
  'CONJUNCTION',
  'CAST',
  'OPERATOR',
  'CASE',
  'BETWEEN',
]);
export const expressionCharsMax = 10_000;
const parsedAtOnce = 500;

const serializedSchema = z.object({ sql: z.string() });

export interface ExpressionParser {
  /**
   * Checks that `text` is one scalar expression over a single row, always with the same result, and finds the columns
   * that it reads.
   */
  parse(text: string): Promise<ParsedExpression>;
  /** The same for many, in their order. */
  parseAll(texts: readonly string[]): Promise<ParsedExpression[]>;
}

/**
 * Nothing that it is given is evaluated: DuckDB's parser makes a tree of it, and the tree is checked against what is
 * allowed.
 */
export function createExpressionParser(session: DuckSession, data: ColumnSources): ExpressionParser {
  const find = columnFinder(data);

  async function parseAll(texts: readonly string[]): Promise<ParsedExpression[]> {
    const results: ParsedExpression[] = [];
    for (let from = 0; from < texts.length; from += parsedAtOnce) {
      const part = texts.slice(from, from + parsedAtOnce);
      const sound = part.map((text) => problemOfText(text) === undefined);
      const values = part.map(
        (text, index) => `(${index}, ${quoteText(sound[index] ? `SELECT ${wrapped(text)}` : 'SELECT 0')})`,
      );
      const trees = await session.rows(
        `SELECT json_serialize_sql(text) AS sql FROM (VALUES ${values.join(', ')}) AS expressions(place, ` +
          'text) ORDER BY place',
        serializedSchema,
      );
      for (const [index, text] of part.entries()) {
        const problem = problemOfText(text);
        results.push(problem === undefined ? checked(text, trees[index]?.sql ?? '{}') : { problem });
      }
    }
    return results;
  }

  function checked(text: string, serialized: string): ParsedExpression {
    const parsed = expressionTree(serialized);
    if ('problem' in parsed) return parsed;
    const columns: SourceColumn[] = [];
    const growth = inspect(parsed.tree, columns);
    if (typeof growth !== 'number') return growth;
    if (growth > growthMax)
      return {
        problem: `it may make a text ${Math.ceil(growth)} times longer than what it reads; ${growthMax} times is the most`,
      };
    return { sql: wrapped(text), columns };
  }

  /** The growth of a part's text, see `growthOf`; or what is wrong with it. */
  function inspect(value: unknown, columns: SourceColumn[]): number | { problem: string } {
    if (!isRecord(value) || typeof value.class !== 'string') return inspectAll(partsOf(value), columns);
    if (!allowedClasses.has(value.class))
      return {
        problem: `a ${value.class.toLowerCase().replaceAll('_', ' ')} is not allowed: a feature is computed from one row`,
      };
    if (value.class === 'COLUMN_REF') {
      const resolved = find(z.array(z.string()).parse(value.column_names));
      if ('problem' in resolved) return resolved;
      columns.push(resolved.found);
      return 1;
    }
    if (value.class === 'CONSTANT')
      return typeProblem(isRecord(value.value) ? value.value.type : undefined, 'a constant of') ?? 1;
    if (value.class === 'OPERATOR' && !allowedOperators.has(String(value.type)))
      return {
        problem: `${String(value.type).toLowerCase().replaceAll('_', ' ')} is not allowed: lists, structs and groups are not`,
      };
    if (value.class === 'CAST') {
      const problem = typeProblem(value.cast_type, 'a cast to');
      return problem ?? inspect(value.child, columns);
    }
    if (value.class !== 'FUNCTION') return inspectAll(partsOf(value), columns);
    const problem = functionProblem(value);
    if (problem !== undefined) return { problem };
    const children: unknown[] = Array.isArray(value.children) ? value.children : [];
    const growths: number[] = [];
    for (const child of children) {
      const growth = inspect(child, columns);
      if (typeof growth !== 'number') return growth;
      growths.push(growth);
    }
    return growthOf(String(value.function_name).toLowerCase(), children, growths);
  }

  function inspectAll(parts: readonly unknown[], columns: SourceColumn[]): number | { problem: string } {
    let longest = 1;
    for (const part of parts) {
      const growth = inspect(part, columns);
      if (typeof growth !== 'number') return growth;
      longest = Math.max(longest, growth);
    }
    return longest;
  }

  return {
    parseAll,
    async parse(text) {
      const [parsed] = await parseAll([text]);
      return parsed ?? { problem: 'it is empty' };
    },
  };
}

/** Line breaks keep a trailing `--` comment from swallowing the parenthesis. */
const wrapped = (text: string): string => `(\n${text}\n)`;

function problemOfText(text: string): string | undefined {
  if (text.includes('\0')) return 'it holds a NUL character';
  return text.length > expressionCharsMax
    ? `it has ${text.length} characters; ${expressionCharsMax} are the most`
    : undefined;
}

function functionProblem(call: Record<string, unknown>): string | undefined {
  const name = String(call.function_name).toLowerCase();
  // The parser itself writes `main` where grammar stands for a function, as in EXTRACT.
  const schemas: unknown[] = [undefined, '', 'main'];
  if (!schemas.includes(call.schema) || (call.catalog ?? '') !== '')
    return `the function ${name} must be written without a schema`;
  if (!isAllowedFunction(name))
    return `the function ${name} is not among those that an expression may call; docs/model-definition.md lists them`;
  const orders = isRecord(call.order_bys) && Array.isArray(call.order_bys.orders) ? call.order_bys.orders.length : 0;
  if (call.distinct === true || (call.filter ?? null) !== null || orders > 0)
    return `${name} with DISTINCT, FILTER or ORDER BY is not allowed: a feature is computed from one row`;
  // `age` of one argument counts from today.
  if (name === 'age' && (!Array.isArray(call.children) || call.children.length !== 2))
    return 'age of one argument counts from today: give both times';
  return undefined;
}

function typeProblem(type: unknown, what: string): { problem: string } | undefined {
  if (!isRecord(type)) return undefined;
  const id = String(type.id);
  const named = isRecord(type.type_info) && typeof type.type_info.name === 'string' ? type.type_info.name : id;
  if (allowedTypes.has(id) && (type.type_info === null || id === 'DECIMAL')) return undefined;
  return { problem: `${what} ${named} is not allowed: numbers, text, true and false, and times without a zone are` };
}

function partsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}
