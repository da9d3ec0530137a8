import { lakePartitions } from '../../db/data/lake-partitions.js';
import { lakeContent } from '../../db/data/lake-content.js';
import { cadenceIn } from '../../domain/cadence.js';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { sharedLake, type SharedTable } from '../../domain/data/lake/shared-table.js';
import { objectKeys } from '../../domain/object-keys.js';
import { wrongCadence } from '../../domain/partition.js';
import type { LakeListing } from '../../client/http/data.js';
import type { ApiDeps } from '../deps.js';
import { sharedTablesInForce } from './lake-of.js';
import { landedTable, straysMax, straysOutside, type LakePage } from './lake-listing.js';

type Deps = Pick<ApiDeps, 'db' | 'objects'>;

/** A page of what has landed for the tables that models share. What a model makes of it is in its own listing. */
export async function sharedListing(deps: Deps, page: LakePage): Promise<LakeListing> {
  const shared = await sharedTablesInForce(deps);
  const found = await Promise.all(shared.map((one) => ofTable(deps, one, page)));
  const root = await deps.objects.folders(objectKeys.lake(sharedOwner));
  const unknown = root.folders.filter((folder) => !shared.some(({ table }) => table === folder));
  const strays = [
    ...found.flatMap((one) => one?.strays ?? []),
    ...unknown.map((folder) => ({
      key: `${objectKeys.lakeTable(sharedOwner, folder)}`,
      problem: `no model in force shares a table ${folder}`,
    })),
  ];
  const nexts = found.flatMap((one) => one?.next ?? []);
  return {
    model: sharedOwner,
    tables: found.flatMap((one) => one?.table ?? []),
    validations: [],
    trained: null,
    notRead: { files: strays.length, first: strays.slice(0, straysMax) },
    next: nexts.toSorted().at(-1) ?? null,
  };
}

async function ofTable(deps: Deps, shared: SharedTable, { limit, before }: LakePage) {
  const lake = sharedLake(shared);
  if (!lake) return undefined;
  const { table } = shared;
  const { partitioned = false } = lake.data.tables[table] ?? {};
  // A page goes on in tables of its own cadence.
  if (before !== undefined && (!partitioned || wrongCadence(before, cadenceIn(lake.data)) !== undefined))
    return undefined;
  const landed = partitioned ? await lakePartitions(deps.db, deps.objects, lake, table) : undefined;
  const asked = (landed?.partitions ?? [])
    .map(({ partition }) => partition)
    .filter((partition) => before === undefined || partition < before);
  const shown = asked.slice(0, limit);
  const content = await lakeContent(deps.db, deps.objects, lake, { partitions: shown });
  const outside = await straysOutside(deps, lake, new Map(landed ? [[table, landed.others]] : []));
  const broken = content.broken.map(({ key, problem }) => ({ key, problem }));
  return {
    table: { ...landedTable(lake, table, content), readBy: shared.readers.map(({ name }) => name) },
    strays: [...broken, ...content.strays, ...outside],
    next: asked.length > shown.length ? (shown.at(-1) ?? null) : null,
  };
}
