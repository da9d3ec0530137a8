import { z } from 'zod';

/** What `json_serialize_sql` gives. */
const parsedSchema = z.object({
  error: z.boolean(),
  error_message: z.string().optional(),
  statements: z.array(z.object({ node: z.record(z.string(), z.unknown()) })).optional(),
});

export type ExpressionTree = { tree: Record<string, unknown> } | { problem: string };

/** The syntax tree of `SELECT expression` and nothing else, from DuckDB's own parser. */
export function expressionTree(serialized: string): ExpressionTree {
  let json: unknown;
  try {
    json = JSON.parse(serialized);
  } catch {
    // JSON has no infinity.
    return { problem: 'it holds a number that is too large' };
  }
  const parsed = parsedSchema.parse(json);
  if (parsed.error)
    return {
      problem: `${parsed.error_message ?? 'it is not SQL'} (quote a column whose name is an SQL keyword)`,
    };
  const tree = onlyExpression(parsed.statements ?? []);
  return isRecord(tree) ? { tree } : { problem: 'it must be one SQL expression, not a statement' };
}

function onlyExpression(statements: readonly { node: Record<string, unknown> }[]): unknown {
  const node = statements[0]?.node;
  if (!node || statements.length !== 1 || node.type !== 'SELECT_NODE') return undefined;
  const { select_list: list, from_table: from } = node;
  const plain = ['where_clause', 'having', 'sample', 'qualify'].every((part) => node[part] === null);
  const bare = [node.modifiers, node.group_expressions].every((part) => Array.isArray(part) && part.length === 0);
  if (!plain || !bare || !isRecord(from) || from.type !== 'EMPTY') return undefined;
  return Array.isArray(list) && list.length === 1 ? list[0] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
