import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import { filesByPartition, inputsByPartition } from '../../domain/data/lake-inputs.js';
import { lakeFile, type StrayFile } from '../../domain/data/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import { forgetLakeObject, knownLakeObjects, rememberLakeObjects } from '../../db/data/data-queries.js';
import { countedLake } from '../../db/data/lake-changes.js';
import type { ActivityDependencies } from '../dependencies.js';

interface TableObject {
  table: string;
  partition: Partition | null;
  key: string;
  etag: string;
}

/**
 * What lies in the lake for one partition: the base's and joined tables' files of the month, and all of the tables that
 * are not partitioned.
 */
export interface LakePartition {
  partition: Partition;
  /** The digest of what it is made from, by which its verdict is found. */
  inputsSha256: string;
  objects: { table: string; sha256: string }[];
  /**
   * Copies the files into a folder, under names of our own; gives each table's local paths, with the names that they
   * have in the lake.
   * @throws PerdureError `data/changing`.
   */
  download(folder: string): Promise<{ files: Record<string, string[]>; names: Map<string, string> }>;
}

export interface Lake {
  partitions: LakePartition[];
  /** Files that nothing reads, though they may be meant as data. */
  strays: StrayFile[];
}

/**
 * Lists the lake of a model: every partition for which the base table has files. Objects are hashed once; an unchanged
 * ETag is believed.
 * @throws PerdureError `data/changing` when a file went or was replaced while it was read: list again.
 */
export async function readLake(
  { db, store, config }: ActivityDependencies,
  definition: ModelDefinition,
  report: (progress: string) => void,
): Promise<Lake> {
  const { data, name: model } = definition;
  const listed: TableObject[] = [];
  const strays: StrayFile[] = [];
  for (const object of await countedLake(db, model, () => store.list(objectKeys.lake(model)))) {
    const file = lakeFile(model, data.tables, object);
    if (file.kind === 'data')
      listed.push({ table: file.table, partition: file.partition, key: object.key, etag: object.etag });
    else if (file.kind === 'stray') strays.push({ key: object.key, problem: file.problem });
  }
  const keys = listed.map(({ key }) => key);
  const known = new Map((await knownLakeObjects(db, keys)).map((one) => [one.key, one]));
  const objects: (TableObject & { sha256: string })[] = [];
  for (const one of listed) {
    const before = known.get(one.key);
    if (before?.etag === one.etag) {
      objects.push({ ...one, sha256: before.sha256 });
      continue;
    }
    report(`reading ${one.key}`);
    const scratch = path.join(config.home, 'work', 'hash', `${randomUUID()}.parquet`);
    try {
      const { sha256 } = await fetchUnchanged(one.key, scratch);
      await rememberLakeObjects(db, [{ key: one.key, etag: one.etag, sha256 }]);
      objects.push({ ...one, sha256 });
    } finally {
      await rm(scratch, { force: true });
    }
  }

  const inputs = inputsByPartition(definition, objects);
  const partitions = [...filesByPartition(data, objects)].map(([partition, used]): LakePartition => {
    return {
      partition,
      inputsSha256: inputs.get(partition) ?? '',
      objects: used.map(({ table, sha256 }) => ({ table, sha256 })),
      async download(folder) {
        const files: Record<string, string[]> = Object.fromEntries(
          Object.keys(data.tables).map((table) => [table, []]),
        );
        const names = new Map<string, string>();
        for (const [index, { table, key, sha256 }] of used.entries()) {
          const file = path.join(folder, `source-${index}.parquet`);
          await fetchUnchanged(key, file, sha256);
          files[table]?.push(file);
          names.set(file, key.slice(objectKeys.lakeTable(model, table).length));
        }
        return { files, names };
      },
    };
  });
  return { partitions, strays };

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
