import { groupBy } from '../../group-by.js';
import { wholeTable, type Partition } from '../../partition.js';
import { earlierPartitions, type LookingBack } from '../look-back.js';
import { sourceTables } from '../source-tables.js';
import { partitionInputsDigest, shapeDigest, type ShapeDefinition } from '../snapshot/snapshot-shape.js';

interface TableFile {
  table: string;
  partition: Partition | null;
}

/**
 * What each partition of the base is made from: its tables' files of that partition and of earlier ones that as-of
 * joins look back on, and all files of the tables that have no partitions. Static data is one partition.
 */
export function filesByPartition<T extends TableFile>(
  definition: LookingBack,
  files: readonly T[],
): Map<Partition, T[]> {
  const { data } = definition;
  const whole = files.filter(({ partition }) => partition === null);
  const ofBase = files.filter(({ table }) => table === data.base);
  if (data.cadence === 'static') return new Map(ofBase.length > 0 ? [[wholeTable, whole]] : []);
  const partitions = new Set(ofBase.flatMap(({ partition }) => partition ?? []));
  const filesOf = groupBy(files, ({ partition }) => partition);
  const tables = sourceTables(data);
  const earlier = (partition: Partition) =>
    tables.flatMap((table) =>
      earlierPartitions(definition, table, partition)
        .flatMap((one) => filesOf.get(one) ?? [])
        .filter((file) => file.table === table),
    );
  return new Map(
    [...partitions].toSorted().map((one) => [one, [...(filesOf.get(one) ?? []), ...whole, ...earlier(one)]]),
  );
}

/** Whether a file of a partition's is looked back on: it lies in an earlier one. */
export const isEarlier = (file: TableFile, partition: Partition): boolean =>
  file.partition !== null && file.partition !== partition;

/** What the digest of a partition's inputs is made from: the same file counts as another one where it is earlier. */
export const inputObjects = (partition: Partition, files: readonly (TableFile & { sha256: string })[]) =>
  files.map((file) => ({
    table: isEarlier(file, partition) ? `earlier/${file.table}` : file.table,
    sha256: file.sha256,
  }));

/**
 * The digest of each partition's inputs, by which its verdict is found; null where the content of a file is not known
 * yet.
 */
export function inputsByPartition(
  definition: ShapeDefinition,
  files: readonly (TableFile & { sha256: string | null })[],
): Map<Partition, string | null> {
  const shapeSha256 = shapeDigest(definition);
  const digest = (partition: Partition, used: readonly (TableFile & { sha256: string | null })[]) => {
    const known = used.flatMap(({ sha256, ...file }) => (sha256 === null ? [] : [{ ...file, sha256 }]));
    const objects = inputObjects(partition, known);
    return known.length === used.length ? partitionInputsDigest({ shapeSha256, objects }) : null;
  };
  return new Map(
    [...filesByPartition(definition, files)].map(([partition, used]) => [partition, digest(partition, used)]),
  );
}
