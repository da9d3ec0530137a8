import type { DataPolicy, ColumnType } from '../../../domain/data/data-policy.js';

export interface SourceColumn {
  table: string;
  column: string;
  type: ColumnType;
}

/** The tables that an expression's names are looked up in. */
export type ColumnSources = Pick<DataPolicy, 'base' | 'joins'> & {
  tables: Record<string, { columns: Record<string, ColumnType> }>;
};

export type Resolution = { found: SourceColumn } | { problem: string };

/** SQL text of a value as reports show it; timestamps as ISO 8601 in UTC. */
export function textSql(sql: string, type: ColumnType | undefined): string {
  return type === 'timestamp' ? `strftime(${sql}, '%Y-%m-%dT%H:%M:%SZ')` : `CAST(${sql} AS VARCHAR)`;
}

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
