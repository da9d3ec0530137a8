/**
 * A line of a Parquet file's own schema, as DuckDB's `parquet_schema` lists it: a tree, depth first, the root first.
 */
export interface ParquetSchemaNode {
  name: string;
  children: number;
}

/**
 * The columns of a Parquet file under their own names, in the order of the file. DuckDB gives a column another name
 * when it takes two for the same, so `amount` after `Amount` is only found by its place.
 */
export function parquetColumnNames(nodes: readonly ParquetSchemaNode[]): string[] {
  const names: string[] = [];
  let inside = 0;
  for (const { name, children } of nodes.slice(1)) {
    if (inside === 0) names.push(name);
    inside += children - (inside > 0 ? 1 : 0);
  }
  return names;
}

export type ColumnMatch = { index: number } | 'absent' | { ambiguous: string[] };

/** Which of a file's columns is meant: the one of exactly this name, else the only one that differs in case alone. */
export function matchColumn(names: readonly string[], wanted: string): ColumnMatch {
  const exact = names.flatMap((name, index) => (name === wanted ? [index] : []));
  const alike = names.flatMap((name, index) => (name.toLowerCase() === wanted.toLowerCase() ? [index] : []));
  const meant = exact.length > 0 ? exact : alike;
  const [index] = meant;
  if (index === undefined) return 'absent';
  return meant.length === 1 ? { index } : { ambiguous: meant.map((one) => names[one] ?? '') };
}
