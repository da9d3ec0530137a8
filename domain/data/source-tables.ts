import type { ColumnType } from './column-type.js';
import { joinName, type Aggregate, type Join } from './join.js';

/** What expressions may read columns of: the base, or a join under its own name. */
export interface DataSource {
  /** What expressions call it. */
  name: string;
  /** The table whose rows it is made from. */
  table: string;
  columns: Record<string, ColumnType>;
}

/** The tables of a definition, and how they are joined. */
export interface JoinedData {
  base: string;
  joins: readonly Join[];
  tables: Readonly<Record<string, { partitioned: boolean; columns: Record<string, ColumnType> }>>;
}

/** The type of an aggregate's column, as far as it can be told without asking the engine. */
type AggregateType = (join: Join, name: string, aggregate: Aggregate) => ColumnType;

/** The base first, then the joins in their order. An aggregated table has the columns of its aggregates alone. */
export function dataSources(data: JoinedData, typeOf: AggregateType = declaredAggregate(data)): DataSource[] {
  const columnsOf = (table: string) => (Object.hasOwn(data.tables, table) ? (data.tables[table]?.columns ?? {}) : {});
  return [
    { name: data.base, table: data.base, columns: columnsOf(data.base) },
    ...data.joins.map((join) => ({
      name: joinName(join),
      table: join.table,
      columns: join.aggregate
        ? Object.fromEntries(Object.entries(join.aggregate).map(([name, one]) => [name, typeOf(join, name, one)]))
        : columnsOf(join.table),
    })),
  ];
}

const declaredAggregate =
  ({ tables }: Pick<JoinedData, 'tables'>): AggregateType =>
  ({ table }, _name, { fn, of = '' }) => {
    if (fn === 'count' || fn === 'countDistinct') return 'integer';
    const declared = Object.hasOwn(tables[table]?.columns ?? {}, of) ? tables[table]?.columns[of] : undefined;
    return fn === 'mean' || fn === 'median' || fn === 'stddev' ? 'number' : (declared ?? 'number');
  };

/** The tables that are read: the base first, then the joined ones, each once. */
export function sourceTables({ base, joins }: Pick<JoinedData, 'base' | 'joins'>): string[] {
  return [...new Set([base, ...joins.map(({ table }) => table)])];
}
