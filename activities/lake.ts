import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ModelDefinition } from '../domain/model-definition.js';
import { objectKeys, partitionOfKey } from '../domain/object-keys.js';
import type { Partition } from '../domain/partition.js';
import { knownLakeObjects, rememberLakeObjects, type LakeObject } from '../db/data-queries.js';
import type { ActivityDependencies } from './dependencies.js';

interface TableObject extends LakeObject {
  table: string;
}

/** What lies in the lake for one partition: the base's and joined tables' files of the month, and all of the tables that are not partitioned. */
export interface LakePartition {
  partition: Partition;
  objects: { table: string; sha256: string }[];
  /** Copies the files into a folder; gives each table's local paths. */
  download(folder: string): Promise<Record<string, string[]>>;
}

/** Lists the lake of a model: every partition for which the base table has files. Objects are hashed once; an unchanged ETag is believed. */
export async function readLake(
  { db, store, config }: ActivityDependencies,
  definition: ModelDefinition,
  report: (progress: string) => void,
): Promise<LakePartition[]> {
  const { data, name: model } = definition;
  const listed: { table: string; key: string; etag: string }[] = [];
  for (const table of Object.keys(data.tables)) {
    for (const { key, etag } of await store.list(objectKeys.lakeTable(model, table))) {
      if (key.endsWith('.parquet')) listed.push({ table, key, etag });
    }
  }
  const known = new Map(
    (
      await knownLakeObjects(
        db,
        listed.map(({ key }) => key),
      )
    ).map((one) => [one.key, one]),
  );
  const objects: TableObject[] = [];
  for (const one of listed) {
    const before = known.get(one.key);
    if (before?.etag === one.etag) {
      objects.push({ ...one, sha256: before.sha256 });
      continue;
    }
    report(`reading ${one.key}`);
    const scratch = path.join(config.home, 'work', 'hash', `${process.pid}.parquet`);
    await mkdir(path.dirname(scratch), { recursive: true });
    const { sha256 } = await store.getToFile(one.key, scratch);
    await rememberLakeObjects(db, [{ key: one.key, etag: one.etag, sha256 }]);
    objects.push({ ...one, sha256 });
  }
  const whole = objects.filter(({ table }) => data.tables[table]?.partitioned === false);
  const partitions = [
    ...new Set(objects.filter(({ table }) => table === data.base).flatMap(({ key }) => partitionOfKey(key) ?? [])),
  ].sort();
  return partitions.map((partition) => {
    const own = objects.filter(({ table, key }) => data.tables[table]?.partitioned !== false && partitionOfKey(key) === partition);
    const used = [...own, ...whole];
    return {
      partition,
      objects: used.map(({ table, sha256 }) => ({ table, sha256 })),
      async download(folder: string) {
        const files: Record<string, string[]> = Object.fromEntries(Object.keys(data.tables).map((table) => [table, []]));
        for (const [index, object] of used.entries()) {
          const file = path.join(folder, `${object.table}-${index}.parquet`);
          await store.getToFile(object.key, file, { sha256: object.sha256 });
          files[object.table]?.push(file);
        }
        return files;
      },
    };
  });
}
