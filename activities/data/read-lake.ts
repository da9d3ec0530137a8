import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import { filesByPartition, inputsByPartition, isEarlier } from '../../domain/data/lake/lake-inputs.js';
import type { StrayFile } from '../../domain/data/lake/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { lakeOwner } from '../../domain/data/lake/lake-owner.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import type { PlaceManifest } from '../../domain/data/lake/lake-manifest.js';
import { forgetLakeObject, rememberLakeObjects } from '../../db/data/partition-queries.js';
import { lakeContent, type BrokenFile, type LakeDataFile } from '../../db/data/lake-content.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * What lies in the lake for one partition: the base's and joined tables' files of it, those of earlier ones that are
 * looked back on, and all of the tables that are not partitioned.
 */
export interface LakePartition {
  partition: Partition;
  /** The digest of what it is made from, by which its verdict is found. */
  inputsSha256: string;
  objects: readonly { table: string; partition: Partition | null; sha256: string }[];
  /** When the newest of its files was put, with its table. */
  newest: { table: string; at: string; actor: string | null };
  /**
   * Copies the files into a folder, under names of our own; gives each table's local paths, with the names that they
   * have in the lake.
   * @throws PerdureError `data/changing`.
   */
  download(folder: string): Promise<{
    files: Record<string, string[]>;
    /** Those of earlier partitions that as-of joins look back on. */
    earlier: Record<string, string[]>;
    names: Map<string, string>;
  }>;
}

export interface Lake {
  partitions: LakePartition[];
  /** Files that nothing reads, though they may be meant as data. */
  strays: StrayFile[];
  /** Files that a manifest names and that are not there any more. */
  broken: BrokenFile[];
}

/**
 * Reads what counts in the lake of a model: every partition for which the base table has files. What a manifest names
 * is known by its digest; other objects are hashed once, and an unchanged ETag is believed.
 * @throws PerdureError `data/changing` when a file went or was replaced while it was read: list again.
 */
export async function readLake(
  { db, store, config }: ActivityDependencies,
  definition: ModelDefinition,
  report: (progress: string) => void,
): Promise<Lake> {
  const { data, name: model } = definition;
  const { files, strays, broken, places } = await lakeContent(db, store, definition);
  const objects: (LakeDataFile & { sha256: string })[] = [];
  for (const one of files) objects.push({ ...one, sha256: one.sha256 ?? (await digestOf(one)) });

  const inputs = inputsByPartition(definition, objects);
  const partitions = [...filesByPartition(definition, objects)].map(([partition, used]): LakePartition => {
    return {
      partition,
      inputsSha256: inputs.get(partition) ?? '',
      objects: used,
      newest: newestOf(used, places),
      async download(folder) {
        const ofEach = () =>
          Object.fromEntries(Object.keys(data.tables).map((table): [string, string[]] => [table, []]));
        const [files, earlier] = [ofEach(), ofEach()];
        const names = new Map<string, string>();
        for (const [index, object] of used.entries()) {
          const { table, key, sha256 } = object;
          const file = path.join(folder, `source-${index}.parquet`);
          await fetchUnchanged(key, file, sha256);
          (isEarlier(object, partition) ? earlier : files)[table]?.push(file);
          names.set(file, key.slice(objectKeys.lakeTable(lakeOwner(model, data.tables[table]), table).length));
        }
        return { files, earlier, names };
      },
    };
  });
  return { partitions, strays, broken };

  async function digestOf({ key, etag }: LakeDataFile): Promise<string> {
    report(`reading ${key}`);
    const scratch = path.join(config.home, 'work', 'hash', `${randomUUID()}.parquet`);
    try {
      const { sha256 } = await fetchUnchanged(key, scratch);
      await rememberLakeObjects(db, [{ key, etag, sha256 }]);
      return sha256;
    } finally {
      await rm(scratch, { force: true });
    }
  }

  /** Fetches what was listed, or says that it is not there any more. */
  async function fetchUnchanged(key: string, file: string, sha256?: string) {
    try {
      return await store.getToFile(key, file, sha256 === undefined ? {} : { sha256 });
    } catch (error) {
      if (!(error instanceof PerdureError) || !['not-found', 'artifact/digest-mismatch'].includes(error.code))
        throw error;
      // It may have been replaced between the listing and the reading: then its tag and its digest do not belong
      // together.
      await forgetLakeObject(db, key);
      throw new PerdureError('data/changing', `${key} was replaced or removed while a run read it.`, { key });
    }
  }
}

/** A place that a manifest rules changed when it was switched; any other when its newest file was put. */
function newestOf(used: readonly LakeDataFile[], places: ReadonlyMap<string, PlaceManifest>): LakePartition['newest'] {
  const changes = used.map(({ table, prefix, modifiedAt }) => {
    const place = places.get(prefix);
    return place?.files
      ? { table, at: place.at.toISOString(), actor: place.actor }
      : { table, at: modifiedAt, actor: null };
  });
  return changes.reduce((newest, one) => (one.at > newest.at ? one : newest));
}
