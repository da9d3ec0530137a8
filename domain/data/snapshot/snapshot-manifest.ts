import { PerdureError } from '../../errors.js';
import { addPartitions, type Partition } from '../../partition.js';
import type { RowSample } from './row-sample.js';
import type { PartitionFile, SnapshotManifest } from './snapshot.js';
import { manifestColumns, shapeDigest, type ShapeDefinition } from './snapshot-shape.js';

/**
 * The manifest of a snapshot whose files exist. The same files and definition give the same manifest.
 * @throws PerdureError `input/invalid` when a side is empty or the partitions are not in ascending order; with a split
 * of rows they are so on either side.
 */
export function buildManifest(parts: {
  definition: ShapeDefinition & { name: string };
  train: readonly PartitionFile[];
  holdout: readonly PartitionFile[];
  sample?: RowSample | undefined;
}): SnapshotManifest {
  const { definition, train, holdout, sample } = parts;
  const { split } = definition.data;
  const divided = split !== undefined && split.kind !== 'last';
  const namesOf = (files: readonly PartitionFile[]) => files.map((file) => file.partition);
  const outOfOrder = divided
    ? [namesOf(train), namesOf(holdout)].flatMap(
        (side) => firstOutOfOrder(side, (one, before) => one < before) ?? [],
      )[0]
    : firstOutOfOrder([...namesOf(train), ...namesOf(holdout)], (one, before) => one <= before);
  if (outOfOrder !== undefined)
    throw new PerdureError(
      'input/invalid',
      `Partition ${outOfOrder} is out of order in the snapshot of ${definition.name}.`,
    );
  const [trainedOn, testedOn] = [spanOf(train, 'train'), spanOf(holdout, 'holdout')];
  return {
    manifestVersion: 1,
    model: definition.name,
    shapeSha256: shapeDigest(definition),
    columns: manifestColumns(definition),
    train: [...train],
    holdout: [...holdout],
    trainedOn,
    testedOn,
    watermark: addPartitions(testedOn.to > trainedOn.to ? testedOn.to : trainedOn.to, -1),
    ...(divided && { split }),
    ...(sample && { sample }),
  };
}

function spanOf(files: readonly PartitionFile[], side: string): SnapshotManifest['trainedOn'] {
  const first = files[0];
  const last = files.at(-1);
  if (!first || !last) throw new PerdureError('input/invalid', `A snapshot needs at least one partition in ${side}.`);
  return {
    from: first.partition,
    to: addPartitions(last.partition, 1),
    rows: files.reduce((sum, file) => sum + file.rows, 0),
  };
}

function firstOutOfOrder(
  partitions: readonly Partition[],
  isWrong: (one: Partition, before: Partition) => boolean,
): Partition | undefined {
  return partitions.find((one, index) => index > 0 && isWrong(one, partitions[index - 1] ?? ''));
}
