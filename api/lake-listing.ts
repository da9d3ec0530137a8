import { newestPartitionRecords } from '../db/quarantine-lists.js';
import type { ModelDefinition } from '../domain/model-definition.js';
import { objectKeys, partitionOfKey } from '../domain/object-keys.js';
import type { LakeListing } from '../client/http/data.js';
import type { ListedObject } from '../adapters/object-store.js';
import type { ApiDeps } from './deps.js';

/** What has landed for a model, table by table, and what validation last said of it. */
export async function lakeListing({ db, objects }: ApiDeps, definition: ModelDefinition): Promise<LakeListing> {
  const model = definition.name;
  const [tables, records] = await Promise.all([
    Promise.all(
      Object.entries(definition.data.tables).map(async ([table, { partitioned }]) => {
        const files = (await objects.list(objectKeys.lakeTable(model, table))).filter((object) => object.key.endsWith('.parquet'));
        return { table, partitioned, files: files.length, bytes: totalBytes(files), partitions: partitioned ? byPartition(files) : [] };
      }),
    ),
    newestPartitionRecords(db, model),
  ]);
  return {
    model,
    tables,
    validations: records.map(({ partition, state, rows, positives, summary, validatedAt }) => ({
      ...{ partition, state, rows, positives, summary },
      validatedAt: validatedAt.toISOString(),
    })),
  };
}

function byPartition(files: readonly ListedObject[]) {
  const names = [...new Set(files.flatMap((file) => partitionOfKey(file.key) ?? []))].toSorted();
  return names.map((partition) => {
    const own = files.filter((file) => partitionOfKey(file.key) === partition);
    const newestAt = own.reduce<string | null>(
      (newest, { modifiedAt }) => (newest === null || modifiedAt > newest ? modifiedAt : newest),
      null,
    );
    return { partition, files: own.length, bytes: totalBytes(own), newestAt };
  });
}

const totalBytes = (files: readonly ListedObject[]) => files.reduce((sum, file) => sum + file.bytes, 0);
