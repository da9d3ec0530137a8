import { withLakeLock } from '../db/lake-lock.js';
import { PerdureError } from '../domain/errors.js';
import type { ModelDefinition } from '../domain/model-definition.js';
import { objectKeys } from '../domain/object-keys.js';
import type { Partition } from '../domain/partition.js';
import type { PutDataResult } from '../client/http/data.js';
import type { ApiDeps } from './deps.js';
import type { ReceivedFile } from './receive-parquet.js';

const parquetType = 'application/vnd.apache.parquet';

/** Where files of a table land. @throws PerdureError `not-found` for a table that the definition lacks, `input/invalid` for a partition too many or too few. */
export function lakePrefix(definition: ModelDefinition, table: string, partition: Partition | undefined): string {
  const policy = definition.data.tables[table];
  if (!policy) {
    const tables = Object.keys(definition.data.tables).join(', ');
    throw new PerdureError('not-found', `table: ${definition.name} has no table ${JSON.stringify(table)}. Its tables: ${tables}.`, {
      table,
    });
  }
  if (policy.partitioned) {
    if (partition === undefined) {
      throw new PerdureError(
        'input/invalid',
        `partition: ${table} is partitioned: say which month the file holds, for example partition=2013-04.`,
        { table },
      );
    }
    return objectKeys.lakePartition(definition.name, table, partition);
  }
  if (partition !== undefined)
    throw new PerdureError('input/invalid', `partition: ${table} is one table without partitions: leave the partition out.`, { table });
  return objectKeys.lakeTable(definition.name, table);
}

/**
 * Puts a whole file in its place. It is named by its SHA-256, so that the same bytes are one object however often they are sent. What was there
 * before it is removed afterwards, unless it is to be kept: a reader may for a moment find both, never neither.
 */
export async function storeLakeFile(
  { db, objects }: ApiDeps,
  prefix: string,
  received: ReceivedFile,
  append: boolean,
): Promise<PutDataResult> {
  const key = `${prefix}${received.sha256}.parquet`;
  return withLakeLock(db, prefix, async () => {
    const before = (await objects.list(prefix)).filter(
      (object) => object.key.endsWith('.parquet') && !object.key.slice(prefix.length).includes('/'),
    );
    const alreadyThere = before.some((object) => object.key === key);
    if (!alreadyThere) await objects.put(key, { file: received.file }, { contentType: parquetType });
    const replaced = append ? [] : before.map((object) => object.key).filter((other) => other !== key);
    for (const other of replaced) await objects.delete(other);
    return { key, sha256: received.sha256, bytes: received.bytes, alreadyThere, replaced };
  });
}
