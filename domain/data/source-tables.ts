import type { DataPolicy } from './data-policy.js';

/** The tables whose columns expressions may use: the base first, then the joined ones. */
export function sourceTables(data: Pick<DataPolicy, 'base' | 'joins'>): string[] {
  return [data.base, ...data.joins.map((join) => join.table)];
}
