import type { DataPolicy } from '../data-policy.js';
import { groupBy } from '../../group-by.js';
import type { Partition } from '../../partition.js';
import { partitionInputsDigest, shapeDigest, type ShapeDefinition } from '../snapshot/snapshot-shape.js';

interface TableFile {
  table: string;
  partition: Partition | null;
}

/**
 * What each partition of the base is made from: its tables' files of the month, and all files of the tables that have
 * no partitions.
 */
export function filesByPartition<T extends TableFile>(
  data: Pick<DataPolicy, 'base'>,
  files: readonly T[],
): Map<Partition, T[]> {
  const whole = files.filter(({ partition }) => partition === null);
  const months = new Set(files.filter(({ table }) => table === data.base).flatMap(({ partition }) => partition ?? []));
  const ofMonth = groupBy(files, ({ partition }) => partition);
  return new Map([...months].toSorted().map((month) => [month, [...(ofMonth.get(month) ?? []), ...whole]]));
}

/**
 * The digest of each partition's inputs, by which its verdict is found; null where the content of a file is not known
 * yet.
 */
export function inputsByPartition(
  definition: ShapeDefinition,
  files: readonly (TableFile & { sha256: string | null })[],
): Map<Partition, string | null> {
  const shapeSha256 = shapeDigest(definition);
  const digest = (used: readonly { table: string; sha256: string | null }[]) => {
    const objects = used.flatMap(({ table, sha256 }) => (sha256 === null ? [] : [{ table, sha256 }]));
    return objects.length === used.length ? partitionInputsDigest({ shapeSha256, objects }) : null;
  };
  return new Map([...filesByPartition(definition.data, files)].map(([month, used]) => [month, digest(used)]));
}
