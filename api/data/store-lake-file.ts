import { openLakePlaces, withLakeBook, type LakeBook } from '../../db/data/lake-changes.js';
import { leftoversOf } from '../../domain/data/lake-change.js';
import { lakeFile } from '../../domain/data/lake-files.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import type { PutDataResult, RemoveDataResult } from '../../client/http/data.js';
import type { ApiDeps } from '../deps.js';
import type { ReceivedFile } from './receive-parquet.js';

const parquetType = 'application/vnd.apache.parquet';

/** A partition of a table, or the whole table: what one put takes the place of. */
export interface LakePlace {
  definition: ModelDefinition;
  prefix: string;
}

export interface LakeChanger {
  actor: string;
  reason: string | null;
}

/**
 * Where files of a table land.
 * @throws PerdureError `not-found` for a table that the definition lacks, `input/invalid` for a partition too many or
 * too few.
 */
export function lakePlace(definition: ModelDefinition, table: string, partition: Partition | undefined): LakePlace {
  const { tables } = definition.data;
  const policy = Object.hasOwn(tables, table) ? tables[table] : undefined;
  if (!policy) {
    const known = Object.keys(tables).join(', ');
    throw new PerdureError(
      'not-found',
      `table: ${definition.name} has no table ${JSON.stringify(table)}. Its tables: ${known}.`,
      {
        table,
      },
    );
  }
  if (policy.partitioned) {
    if (partition === undefined) {
      throw new PerdureError(
        'input/invalid',
        `partition: ${table} is partitioned: say which month, for example partition=2013-04.`,
        {
          table,
        },
      );
    }
    return { definition, prefix: objectKeys.lakePartition(definition.name, table, partition) };
  }
  if (partition !== undefined)
    throw new PerdureError(
      'input/invalid',
      `partition: ${table} is one table without partitions: leave the partition out.`,
      { table },
    );
  return { definition, prefix: objectKeys.lakeTable(definition.name, table) };
}

/**
 * Puts a whole file in its place. It is named by its SHA-256, so that the same bytes are one object however often they
 * are sent. What was there before it no longer counts from the moment on at which the new file does, and is then
 * removed, unless it is to be kept.
 */
export async function storeLakeFile(
  deps: ApiDeps,
  place: LakePlace,
  received: ReceivedFile,
  { append, ...changer }: LakeChanger & { append: boolean },
): Promise<PutDataResult> {
  const key = `${place.prefix}${received.sha256}.parquet`;
  return withLakeBook(deps.db, place.prefix, async (book) => {
    await clear(deps, book);
    const before = await dataIn(deps, place);
    const alreadyThere = before.includes(key);
    const replaced = append ? [] : before.filter((other) => other !== key);
    if (!alreadyThere || replaced.length > 0) {
      const id = await book.begin({
        model: place.definition.name,
        key: alreadyThere ? null : key,
        replaced,
        ...changer,
      });
      if (!alreadyThere) await deps.objects.put(key, { file: received.file }, { contentType: parquetType });
      await takeOver(deps, book, id, replaced);
    }
    return { key, sha256: received.sha256, bytes: received.bytes, alreadyThere, replaced };
  });
}

/** Removes what lies in a place. @throws PerdureError `not-found` when nothing does. */
export async function removeLakeFiles(
  deps: ApiDeps,
  place: LakePlace,
  changer: LakeChanger,
): Promise<RemoveDataResult> {
  return withLakeBook(deps.db, place.prefix, async (book) => {
    await clear(deps, book);
    const removed = await dataIn(deps, place);
    if (removed.length === 0) {
      const model = place.definition.name;
      throw new PerdureError(
        'not-found',
        `Nothing lies in ${place.prefix}. \`perdure data ls ${model}\` shows what has landed.`,
        {
          model,
        },
      );
    }
    const id = await book.begin({ model: place.definition.name, key: null, replaced: removed, ...changer });
    await takeOver(deps, book, id, removed);
    return { removed };
  });
}

/** Clears what changes left when their process was killed. For the start; until then nobody counts it. */
export async function clearLakeChanges(deps: Pick<ApiDeps, 'db' | 'objects'>): Promise<void> {
  for (const prefix of await openLakePlaces(deps.db)) await withLakeBook(deps.db, prefix, (book) => clear(deps, book));
}

async function takeOver(
  { objects }: Pick<ApiDeps, 'objects'>,
  book: LakeBook,
  id: number,
  replaced: readonly string[],
): Promise<void> {
  await book.step(id, 'landing', 'taking-over');
  for (const key of replaced) await objects.delete(key);
  await book.step(id, 'taking-over', 'done');
}

async function clear({ objects }: Pick<ApiDeps, 'objects'>, book: LakeBook): Promise<void> {
  for (const change of await book.open()) {
    for (const key of leftoversOf(change)) await objects.delete(key);
    await book.step(change.id, change.step, change.step === 'landing' ? 'abandoned' : 'done');
  }
}

async function dataIn({ objects }: Pick<ApiDeps, 'objects'>, { definition, prefix }: LakePlace): Promise<string[]> {
  const { name, data } = definition;
  const listed = await objects.list(prefix);
  return listed.filter((object) => lakeFile(name, data.tables, object).kind === 'data').map(({ key }) => key);
}
