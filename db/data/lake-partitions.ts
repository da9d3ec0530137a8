import { countLake } from '../../domain/data/lake/lake-manifest.js';
import { lakeFile, type LakeReader } from '../../domain/data/lake/lake-files.js';
import { lakeOwner } from '../../domain/data/lake/lake-owner.js';
import { objectKeys } from '../../domain/object-keys.js';
import { cadenceIn } from '../../domain/cadence.js';
import { cadenceOf, partitionInFolder, type Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import type { LakeStore } from './lake-content.js';
import { lakeManifests, ruledPartitions } from './lake-manifests.js';

type Data = Pick<LakeReader, 'name' | 'data'>;

export interface LandedPartition {
  partition: Partition;
  /** Whether a manifest rules it; otherwise there is a folder, in which may be no data. */
  ruled: boolean;
}

export interface LakeFolders {
  /** The newest first. */
  partitions: LandedPartition[];
  /** Names of folders that are no partition of the model's cadence, and objects that lie in none. */
  others: { folders: string[]; keys: { key: string; bytes: number }[] };
}

/**
 * The partitions of a partitioned table, by what was put and by the names of folders: no file is listed, and the cost
 * does not grow with their number.
 */
export async function lakePartitions(
  db: Database,
  store: LakeStore,
  { name, data }: Data,
  table: string,
): Promise<LakeFolders> {
  const owner = lakeOwner(name, data.tables[table]);
  const cadence = cadenceIn(data);
  const [{ folders, objects }, ruled] = await Promise.all([
    store.folders(objectKeys.lakeTable(owner, table)),
    ruledPartitions(db, owner, table),
  ]);
  // A definition of before may have had another cadence.
  const own = ruled.filter((partition) => cadenceOf(partition) === cadence);
  const found = new Map<Partition, LandedPartition>(own.map((partition) => [partition, { partition, ruled: true }]));
  const others: string[] = [];
  for (const folder of folders) {
    const partition = partitionInFolder(folder, cadence);
    if (partition === undefined) others.push(folder);
    else if (!found.has(partition)) found.set(partition, { partition, ruled: false });
  }
  return {
    partitions: [...found.values()].toSorted((left, right) => (left.partition < right.partition ? 1 : -1)),
    others: { folders: others, keys: objects.map(({ key, bytes }) => ({ key, bytes })) },
  };
}

/** The newest partition of a table that has data, of those that are wanted. Looks into as few folders as it takes. */
export async function newestLanded(
  db: Database,
  store: LakeStore,
  { name, data }: Data,
  table: string,
  wanted: (partition: Partition) => boolean = () => true,
): Promise<Partition | undefined> {
  const { partitions } = await lakePartitions(db, store, { name, data }, table);
  const owner = lakeOwner(name, data.tables[table]);
  for (const { partition, ruled } of partitions) {
    if (!wanted(partition)) continue;
    if (ruled) return partition;
    const prefix = objectKeys.lakePartition(owner, table, partition);
    const lying = (await store.list(prefix)).flatMap((object) =>
      lakeFile(owner, data, object).kind === 'data' ? [{ ...object, prefix }] : [],
    );
    if (lying.length > 0 && countLake(lying, await lakeManifests(db, owner, { prefixes: [prefix] })).counted.length > 0)
      return partition;
  }
  return undefined;
}
