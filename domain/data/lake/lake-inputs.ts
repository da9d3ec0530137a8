import type { DataPolicy } from '../data-policy.js';
import { groupBy } from '../../group-by.js';
import { wholeTable, type Partition } from '../../partition.js';
import { partitionInputsDigest, shapeDigest, type ShapeDefinition } from '../snapshot/snapshot-shape.js';

interface TableFile {
  table: string;
  partition: Partition | null;
}

/**
 * What each partition of the base is made from: its tables' files of that partition, and all files of the tables that
 * have no partitions. Static data is one partition.
 */
export function filesByPartition<T extends TableFile>(
  data: Pick<DataPolicy, 'base' | 'cadence'>,
  files: readonly T[],
): Map<Partition, T[]> {
  const whole = files.filter(({ partition }) => partition === null);
  const ofBase = files.filter(({ table }) => table === data.base);
  if (data.cadence === 'static') return new Map(ofBase.length > 0 ? [[wholeTable, whole]] : []);
  const partitions = new Set(ofBase.flatMap(({ partition }) => partition ?? []));
  const filesOf = groupBy(files, ({ partition }) => partition);
  return new Map([...partitions].toSorted().map((one) => [one, [...(filesOf.get(one) ?? []), ...whole]]));
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
  return new Map([...filesByPartition(definition.data, files)].map(([partition, used]) => [partition, digest(used)]));
}
