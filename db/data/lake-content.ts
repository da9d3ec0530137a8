import {
  countLake,
  describeBeside,
  describeBroken,
  type LakeManifests,
  type PlaceManifest,
  type LyingObject,
} from '../../domain/data/lake/lake-manifest.js';
import { isPlaceOf, lakeFile, type LakeReader, type StrayFile } from '../../domain/data/lake/lake-files.js';
import { lakeOwner, ownerOfKey, sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { earlierPartitions } from '../../domain/data/look-back.js';
import { objectKeys } from '../../domain/object-keys.js';
import { partitionFolder, partitionSchema, type Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import { knownLakeObjects } from './partition-queries.js';
import { lakeManifests } from './lake-manifests.js';

type Listed = Omit<LyingObject, 'prefix'>;

/** Where the lake lies. */
export interface LakeStore {
  /** Every object below a prefix, or `max` of them. */
  list(prefix: string, options?: { max?: number }): Promise<readonly Listed[]>;
  /** What lies directly below a prefix: objects, and the names of folders. */
  folders(prefix: string): Promise<{ folders: string[]; objects: readonly Listed[] }>;
}

export interface LakeDataFile extends LyingObject {
  table: string;
  partition: Partition | null;
  /** Null where the content is not known: nobody has read it as it lies there. */
  sha256: string | null;
}

/** A file that a manifest names and that is not there any more: its partition cannot be read. */
export interface BrokenFile extends StrayFile {
  table: string;
  partition: Partition | null;
}

export interface LakeContent {
  files: LakeDataFile[];
  /** Files that nothing reads, though they may be meant as data. */
  strays: StrayFile[];
  broken: BrokenFile[];
  /** What rules the places that were ever put into; the others are ruled by what lies there. */
  places: Map<string, PlaceManifest>;
}

/**
 * What to look at: these partitions of the partitioned tables, those that they look back on, and the tables without
 * partitions.
 */
export interface LakeScope {
  partitions: readonly Partition[];
}

const listingsMax = 5;
const listingsAtOnce = 8;
/** Objects that one request lists. */
const smallLake = 1000;

/** What counts in the lake of a model now. Without a scope all of it is listed. */
export async function lakeContent(
  db: Database,
  store: LakeStore,
  definition: LakeReader,
  scope?: LakeScope,
): Promise<LakeContent> {
  let before = '';
  for (let attempt = 1; ; attempt += 1) {
    const listed = await listLake(store, definition, scope);
    const content = await contentOf(db, definition, listed, scope);
    // A file may have landed, and its manifest been switched, after its folder was listed. What is missing twice is
    // missing.
    const missing = content.broken.map(({ key }) => key).join('\n');
    if (missing === before || attempt === listingsMax) return content;
    before = missing;
  }
}

async function contentOf(
  db: Database,
  definition: LakeReader,
  listed: readonly Listed[],
  scope?: LakeScope,
): Promise<LakeContent> {
  const { name: model, data } = definition;
  const strays: StrayFile[] = [];
  const lying: LyingObject[] = [];
  for (const object of listed) {
    const owner = ownerOfKey(object.key);
    const file = lakeFile(owner, data, object);
    if (file.kind === 'stray') strays.push({ key: object.key, problem: file.problem });
    if (file.kind !== 'data') continue;
    lying.push({ ...object, prefix: prefixOf(owner, file.table, file.partition) });
  }
  const recorded = await manifestsOf(db, definition, scope);
  const { counted, beside, broken } = countLake(lying, recorded);
  const unknown = counted.filter(({ sha256 }) => sha256 === null).map(({ key }) => key);
  const known = new Map(
    (await knownLakeObjects(db, unknown)).map(({ key, etag, sha256 }) => [`${key}\n${etag}`, sha256]),
  );
  return {
    files: counted.map((object) => ({
      ...object,
      ...placeOfPrefix(object.prefix),
      sha256: object.sha256 ?? known.get(`${object.key}\n${object.etag}`) ?? null,
    })),
    strays: [...strays, ...beside.map((one) => ({ key: one.key, problem: describeBeside(one) }))],
    broken: broken
      .map((one) => ({ key: one.key, problem: describeBroken(one), ...placeOfPrefix(one.place.prefix) }))
      .filter(
        (place) => isPlaceOf(data, place) && ownerOfKey(place.key) === lakeOwner(model, data.tables[place.table]),
      ),
    places: new Map(recorded.places.map((place) => [place.prefix, place])),
  };
}

/** Of the model's own places, and of the tables that it shares with others. */
async function manifestsOf(db: Database, definition: LakeReader, scope?: LakeScope): Promise<LakeManifests> {
  const prefixes = scope && placesOf(definition, scope.partitions);
  const own = await lakeManifests(db, definition.name, { prefixes });
  const tables = sharedTablesOf(definition);
  if (tables.length === 0) return own;
  const shared = await lakeManifests(db, sharedOwner, { prefixes, tables });
  return { places: [...own.places, ...shared.places], uncounted: [...own.uncounted, ...shared.uncounted] };
}

const sharedTablesOf = ({ data }: LakeReader): string[] =>
  Object.entries(data.tables).flatMap(([table, { shared }]) => (shared === true ? [table] : []));

/** The model's own folder and those of the tables that it shares; of a larger one only the folders of the scope. */
async function listLake(store: LakeStore, definition: LakeReader, scope?: LakeScope): Promise<readonly Listed[]> {
  const own = definition.name === sharedOwner ? [] : [objectKeys.lake(definition.name)];
  const roots = [...own, ...sharedTablesOf(definition).map((table) => objectKeys.lakeTable(sharedOwner, table))];
  const listed: Listed[] = [];
  for (const root of roots)
    listed.push(...(await listRoot(store, root, scope && placesOf(definition, scope.partitions))));
  return listed;
}

/** A small folder with one request; of a larger one everything, or only the places that are asked for, a few at once. */
async function listRoot(store: LakeStore, root: string, places?: readonly string[]): Promise<readonly Listed[]> {
  if (places === undefined) return store.list(root);
  const prefixes = places.filter((prefix) => prefix.startsWith(root));
  const first = await store.list(root, { max: smallLake });
  if (first.length < smallLake) return first.filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)));
  const listed: Listed[] = [];
  for (let from = 0; from < prefixes.length; from += listingsAtOnce) {
    const some = await Promise.all(prefixes.slice(from, from + listingsAtOnce).map((prefix) => store.list(prefix)));
    listed.push(...some.flat());
  }
  return listed;
}

function placesOf({ name, contract, data }: LakeReader, partitions: readonly Partition[]): string[] {
  return Object.entries(data.tables).flatMap(([table, policy]) => {
    const owner = lakeOwner(name, policy);
    if (!policy.partitioned) return [prefixOf(owner, table, null)];
    const earlier = partitions.flatMap((partition) => earlierPartitions({ contract, data }, table, partition));
    return [...new Set([...partitions, ...earlier])].map((partition) => prefixOf(owner, table, partition));
  });
}

function prefixOf(owner: string, table: string, partition: Partition | null): string {
  return partition === null ? objectKeys.lakeTable(owner, table) : objectKeys.lakePartition(owner, table, partition);
}

function placeOfPrefix(prefix: string): { table: string; partition: Partition | null } {
  const [, , table = '', folder] = prefix.split('/');
  const parsed = partitionSchema.safeParse(folder?.slice(folder.indexOf('=') + 1));
  return { table, partition: parsed.success && partitionFolder(parsed.data) === folder ? parsed.data : null };
}
