import type { ColumnType } from '../../../domain/data/data-policy.js';

export interface SourceColumn {
  /** What expressions call the table, or the join, that has the column. */
  table: string;
  column: string;
  type: ColumnType;
}

/** Where an expression's names are looked up: the base first. */
export type ColumnSources = readonly { name: string; columns: Record<string, ColumnType> }[];

export type Resolution = { found: SourceColumn } | { problem: string };

/** SQL text of a value as reports show it; timestamps as ISO 8601 in UTC. */
export function textSql(sql: string, type: ColumnType | undefined): string {
  return type === 'timestamp' ? `strftime(${sql}, '%Y-%m-%dT%H:%M:%SZ')` : `CAST(${sql} AS VARCHAR)`;
}

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
