import { lakePartitions } from '../../db/data/lake-partitions.js';
import { lastResultOf } from '../../db/training/run-queries.js';
import { trainedPartitions } from '../../domain/data/snapshot/trained-partitions.js';
import { groupBy } from '../../domain/group-by.js';
import { lakeFile, type LakeReader, type StrayFile } from '../../domain/data/lake/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { lakeOwner, ownerOfKey, sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { objectKeys } from '../../domain/object-keys.js';
import { wholeTable, type Partition } from '../../domain/partition.js';
import type { LakeListing } from '../../client/http/data.js';
import type { ApiDeps } from '../deps.js';
import { mustBeOfCadence } from './lake-place.js';
import { judgedLake, type JudgedLake } from './lake-verdicts.js';

export const straysMax = 100;

export interface LakePage {
  limit: number;
  /** Partitions before this one. */
  before?: Partition | undefined;
}

/**
 * A page of what has landed for a model, table by table, and what validation said of it. Its cost is that of the
 * partitions on it, however many there are.
 */
export async function lakeListing(
  deps: Pick<ApiDeps, 'db' | 'objects'>,
  { sha256, definition }: { sha256: string; definition: ModelDefinition },
  { limit, before }: LakePage,
): Promise<LakeListing> {
  const { name: model, data } = definition;
  if (before !== undefined) mustBeOfCadence(data, before, 'before');
  const partitioned = Object.keys(data.tables).filter((table) => data.tables[table]?.partitioned);
  const found = await Promise.all(partitioned.map((table) => lakePartitions(deps.db, deps.objects, definition, table)));
  const all = [...new Set(found.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)))]
    .toSorted()
    .toReversed();
  const asked = all.filter((partition) => before === undefined || partition < before);
  const shown = data.cadence === 'static' ? [wholeTable] : asked.slice(0, limit);
  const [lake, last, elsewhere] = await Promise.all([
    judgedLake(deps, definition, { partitions: shown }),
    lastResultOf(deps.db, model, sha256),
    straysOutside(
      deps,
      definition,
      new Map(partitioned.map((table, index) => [table, found[index]?.others ?? { folders: [], keys: [] }])),
    ),
  ]);
  const strays = [...lake.broken.map(({ key, problem }) => ({ key, problem })), ...lake.strays, ...elsewhere];
  return {
    model,
    tables: Object.keys(data.tables).map((table) => landedTable(definition, table, lake)),
    validations: [...lake.verdicts.values()]
      .toSorted((left, right) => (left.partition < right.partition ? -1 : 1))
      .map(({ partition, state, rows, positives, summary, validatedAt }) => ({
        ...{ partition, state, rows, positives, summary },
        validatedAt: validatedAt.toISOString(),
      })),
    trained: last
      ? {
          runId: last.runId,
          startedAt: last.startedAt.toISOString(),
          partitions: trainedPartitions(last.manifest, lake.inputs, shown),
        }
      : null,
    notRead: { files: strays.length, first: strays.slice(0, straysMax) },
    next: asked.length > shown.length ? (shown.at(-1) ?? null) : null,
  };
}

/** A table of a listing. */
export function landedTable({ data }: LakeReader, table: string, content: Landed): LakeListing['tables'][number] {
  const own = content.files.filter((file) => file.table === table);
  const { partitioned = false, shared } = data.tables[table] ?? {};
  return {
    table,
    partitioned,
    ...(shared === true ? { shared } : {}),
    files: own.length,
    bytes: totalBytes(own),
    partitions: partitioned ? byPartition(own, content) : [],
  };
}

/** What lies where nothing reads it, outside of the folders of partitions. */
export async function straysOutside(
  { objects }: Pick<ApiDeps, 'objects'>,
  { name, data }: LakeReader,
  others: ReadonlyMap<string, { folders: string[]; keys: { key: string; bytes: number }[] }>,
): Promise<StrayFile[]> {
  const own = objectKeys.lake(name);
  // What lies beside the tables that models share is told where they are listed.
  const root = name === sharedOwner ? { folders: [], objects: [] } : await objects.folders(own);
  const unknown = root.folders
    .filter((folder) => !Object.hasOwn(data.tables, folder) || data.tables[folder]?.shared === true)
    .map((folder) => `${own}${folder}/`);
  const odd = [...others].flatMap(([table, { folders }]) =>
    folders.map((folder) => `${objectKeys.lakeTable(lakeOwner(name, data.tables[table]), table)}${folder}/`),
  );
  const lying = [...root.objects, ...[...others.values()].flatMap(({ keys }) => keys)];
  for (const prefix of [...unknown, ...odd]) {
    if (lying.length > straysMax) break;
    lying.push(...(await objects.list(prefix, { max: straysMax })));
  }
  return lying.flatMap((object) => {
    const file = lakeFile(ownerOfKey(object.key), data, object);
    return file.kind === 'stray' ? [{ key: object.key, problem: file.problem }] : [];
  });
}

type Landed = Pick<JudgedLake, 'files' | 'places'>;

function byPartition(files: Landed['files'], { places }: Landed) {
  const groups = groupBy(files, ({ partition }) => partition ?? '');
  return [...groups]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([partition, own]) => {
      const place = places.get(own[0]?.prefix ?? '');
      return {
        partition,
        files: own.length,
        bytes: totalBytes(own),
        newestAt: own.map(({ modifiedAt }) => modifiedAt).reduce((newest, at) => (at > newest ? at : newest)),
        ruledBy: place?.files ? ('manifest' as const) : ('files' as const),
        generation: place?.generation ?? 0,
        putBy: place?.files ? place.actor : null,
      };
    });
}

const totalBytes = (files: Landed['files']) => files.reduce((sum, file) => sum + file.bytes, 0);
