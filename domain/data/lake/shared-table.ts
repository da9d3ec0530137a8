import { cadenceIn, cadenceWords } from '../../cadence.js';
import { timeZoneIn } from '../../calendar/partition-bounds.js';
import { groupBy } from '../../group-by.js';
import type { DataPolicy } from '../data-policy.js';
import type { DefinitionProblem } from '../../definition-problem.js';
import type { LakeReader } from './lake-files.js';
import { sharedOwner } from './lake-owner.js';

/** A model that declares shared tables. */
export type SharingModel = Pick<LakeReader, 'name' | 'data'>;

export interface SharedTable {
  table: string;
  /** The models that read it, by name. */
  readers: SharingModel[];
}

/** The tables that models share, by name. */
export function sharedTables(models: readonly SharingModel[]): SharedTable[] {
  const declared = models.flatMap((model) =>
    Object.entries(model.data.tables).flatMap(([table, { shared }]) => (shared === true ? [{ table, model }] : [])),
  );
  return [...groupBy(declared, ({ table }) => table)]
    .map(([table, all]) => ({ table, readers: all.map(({ model }) => model) }))
    .toSorted((left, right) => (left.table < right.table ? -1 : 1));
}

/** The lake of one shared table, as its models see it: they agree on its partitions. */
export function sharedLake({ table, readers }: SharedTable): LakeReader | undefined {
  const [first] = readers;
  const policy = first?.data.tables[table];
  if (!first || !policy) return undefined;
  const { cadence, timeZone } = first.data;
  const data = { base: table, joins: [], tables: { [table]: policy }, cadence, timeZone, window: undefined };
  return { name: sharedOwner, contract: { eventTime: '' }, data };
}

/** Where a definition takes a shared table's files for other partitions than the models that read it already. */
export function sharedTableProblems(definition: SharingModel, others: readonly SharingModel[]): DefinitionProblem[] {
  return Object.entries(definition.data.tables).flatMap(([table, policy]) => {
    if (policy.shared !== true) return [];
    const own = landing(definition.data, table);
    const other = others.find(
      ({ name, data }) => name !== definition.name && isShared(data, table) && landing(data, table) !== own,
    );
    if (!other) return [];
    const message =
      `shares ${table} with ${other.name}, for which its files are ${landing(other.data, table)}; here they are ` +
      `${own}. Both must agree, or one of them must have a table of its own`;
    return [{ path: `data.tables.${table}.shared`, message }];
  });
}

const isShared = ({ tables }: Pick<DataPolicy, 'tables'>, table: string): boolean =>
  Object.hasOwn(tables, table) && tables[table]?.shared === true;

/** How a table's files lie, in words. */
function landing(data: SharingModel['data'], table: string): string {
  if (!data.tables[table]?.partitioned) return 'one whole table';
  const cadence = cadenceIn(data);
  return `${cadenceWords[cadence].many} (${cadence === 'hour' ? 'UTC' : timeZoneIn(data)})`;
}
