import type { LakePlace } from '../../db/data/lake-manifests.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';

/**
 * Where files of a table land.
 * @throws PerdureError `not-found` for a table that the definition lacks, `input/invalid` for a partition too many or
 * too few.
 */
export function lakePlace(
  { name: model, data }: ModelDefinition,
  table: string,
  partition: Partition | undefined,
): LakePlace {
  const policy = Object.hasOwn(data.tables, table) ? data.tables[table] : undefined;
  if (!policy) {
    const known = Object.keys(data.tables).join(', ');
    throw new PerdureError(
      'not-found',
      `table: ${model} has no table ${JSON.stringify(table)}. Its tables: ${known}.`,
      { table },
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
    return { model, table, partition, prefix: objectKeys.lakePartition(model, table, partition) };
  }
  if (partition !== undefined)
    throw new PerdureError(
      'input/invalid',
      `partition: ${table} is one table without partitions: leave the partition out.`,
      { table },
    );
  return { model, table, partition: null, prefix: objectKeys.lakeTable(model, table) };
}
