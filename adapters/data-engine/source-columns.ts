import type { DataPolicy, ColumnType } from '../../domain/data-policy.js';
import { PerdureError } from '../../domain/errors.js';
import type { ShapeDefinition } from '../../domain/snapshot-shape.js';

export interface SourceColumn {
  table: string;
  column: string;
  type: ColumnType;
}

/** The tables that an expression's names are looked up in. */
export type ColumnSources = Pick<DataPolicy, 'base' | 'joins'> & { tables: Record<string, { columns: Record<string, ColumnType> }> };

export type Resolution = { found: SourceColumn } | { problem: string };

/** The tables whose columns expressions may use: the base first, then the joined ones. */
export function sourceTables(data: ColumnSources): string[] {
  return [data.base, ...data.joins.map((join) => join.table)];
}

/** SQL text of a value as reports show it; timestamps as ISO 8601 in UTC. */
export function textSql(sql: string, type: ColumnType | undefined): string {
  return type === 'timestamp' ? `strftime(${sql}, '%Y-%m-%dT%H:%M:%SZ')` : `CAST(${sql} AS VARCHAR)`;
}

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** @throws PerdureError `definition/invalid` when names that SQL would take for one another are used for different things. */
export function checkNames({ contract, data }: ShapeDefinition): void {
  const refuse = (where: string, names: readonly string[]) => {
    const twice = names.find((name, index) => names.findIndex((other) => sameName(other, name)) !== index);
    if (twice !== undefined) {
      throw new PerdureError('definition/invalid', `${where}: the name ${twice} is used twice (case does not count). Rename one of them.`, {
        name: twice,
      });
    }
  };
  refuse('data.tables', Object.keys(data.tables));
  for (const [table, { columns }] of Object.entries(data.tables)) refuse(`data.tables.${table}.columns`, Object.keys(columns));
  refuse('data.joins', sourceTables(data));
  refuse('data.tables (a column of the base has the name of a joined table)', [
    ...Object.keys(data.tables[data.base]?.columns ?? {}),
    ...data.joins.map((join) => join.table),
  ]);
  refuse('contract', [...Object.keys(contract.features), contract.label.name]);
  refuse('contract.entity', contract.entity);
  refuse('contract (the label cannot be part of the entity or the event time)', [
    ...new Set([...contract.entity, contract.eventTime]),
    contract.label.name,
  ]);
  refuse('contract (the event time cannot be a feature)', [...Object.keys(contract.features), contract.eventTime]);
}
