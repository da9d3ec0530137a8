import type { LakePlace } from '../../db/data/lake-manifests.js';
import { PerdureError } from '../../domain/errors.js';
import type { LakeReader } from '../../domain/data/lake/lake-files.js';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { objectKeys } from '../../domain/object-keys.js';
import { cadenceIn, cadenceWords } from '../../domain/cadence.js';
import { wrongCadence, type Partition } from '../../domain/partition.js';

/**
 * Where files of a table land.
 * @throws PerdureError `not-found` for a table that the definition lacks, `input/invalid` for a partition too many, too
 * few or of another cadence.
 */
export function lakePlace(
  { name: model, data }: LakeReader,
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
  if (policy.shared === true && model !== sharedOwner)
    throw new PerdureError(
      'input/invalid',
      `table: ${table} is shared, and its files count for every model that reads it: name ${sharedOwner} in the ` +
        `place of the model (perdure data put ${sharedOwner} ${table} FILE).`,
      { table },
    );
  const words = cadenceWords[cadenceIn(data)];
  if (policy.partitioned) {
    if (partition === undefined) {
      throw new PerdureError(
        'input/invalid',
        `partition: ${table} is partitioned: say which ${words.one}, for example partition=${words.example}.`,
        { table },
      );
    }
    mustBeOfCadence(data, partition);
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

/** @throws PerdureError `input/invalid` for a partition that is none of this model, with the form that is right. */
export function mustBeOfCadence(data: LakeReader['data'], partition: Partition, field = 'partition'): void {
  const wrong = wrongCadence(partition, cadenceIn(data));
  if (wrong !== undefined) throw new PerdureError('input/invalid', `${field}: ${wrong}.`, { partition });
}
