import { z } from 'zod';
import { columnFinder } from './column-finder.js';
import type { DuckSession } from '../duck-session.js';
import { growthMax } from './expression-growth.js';
import { expressionTree } from './expression-tree.js';
import { expressionInspector } from './inspect-expression.js';
import { quoteText } from '../quote-sql.js';
import type { ColumnSources, SourceColumn } from './source-columns.js';

export type ParsedExpression = { sql: string; columns: SourceColumn[] } | { problem: string };

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
export function createExpressionParser(session: DuckSession, sources: ColumnSources): ExpressionParser {
  const inspect = expressionInspector(columnFinder(sources));

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
        problem:
          `it may make a string ${Math.ceil(growth)} times longer than its input; ` +
          `at most ${growthMax} times is allowed`,
      };
    return { sql: wrapped(text), columns };
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
export const wrapped = (text: string): string => `(\n${text}\n)`;

export function problemOfText(text: string): string | undefined {
  if (text.includes('\0')) return 'it holds a NUL character';
  return text.length > expressionCharsMax
    ? `it has ${text.length} characters; at most ${expressionCharsMax} are allowed`
    : undefined;
}
