import type { ColumnType, DataPolicy } from './data-policy.js';
import { joinName, type Aggregate, type Join } from './join.js';

/** What expressions may read columns of: the base, or a join under its own name. */
export interface DataSource {
  /** What expressions call it. */
  name: string;
  /** The table whose rows it is made from. */
  table: string;
  columns: Record<string, ColumnType>;
}

type Sources = Pick<DataPolicy, 'base' | 'joins' | 'tables'>;

/** The type of an aggregate's column, as far as it can be told without asking the engine. */
type AggregateType = (join: Join, name: string, aggregate: Aggregate) => ColumnType;

/** The base first, then the joins in their order. An aggregated table has the columns of its aggregates alone. */
export function dataSources(data: Sources, typeOf: AggregateType = declaredAggregate(data)): DataSource[] {
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
  ({ tables }: Pick<DataPolicy, 'tables'>): AggregateType =>
  ({ table }, _name, { fn, of = '' }) => {
    if (fn === 'count' || fn === 'countDistinct') return 'integer';
    const declared = Object.hasOwn(tables[table]?.columns ?? {}, of) ? tables[table]?.columns[of] : undefined;
    return fn === 'mean' || fn === 'median' || fn === 'stddev' ? 'number' : (declared ?? 'number');
  };

/** The tables that are read: the base first, then the joined ones, each once. */
export function sourceTables({ base, joins }: Pick<DataPolicy, 'base' | 'joins'>): string[] {
  return [...new Set([base, ...joins.map(({ table }) => table)])];
}
