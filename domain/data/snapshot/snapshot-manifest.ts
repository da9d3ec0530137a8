import { PerdureError } from '../../errors.js';
import { addPartitions } from '../../partition.js';
import type { PartitionFile, SnapshotManifest } from './snapshot.js';
import { manifestColumns, shapeDigest, type ShapeDefinition } from './snapshot-shape.js';

/**
 * The manifest of a snapshot whose files exist. The same files and definition give the same manifest.
 * @throws PerdureError `input/invalid` when a side is empty or the partitions are not in ascending order.
 */
export function buildManifest(parts: {
  definition: ShapeDefinition & { name: string };
  train: readonly PartitionFile[];
  holdout: readonly PartitionFile[];
}): SnapshotManifest {
  const { definition, train, holdout } = parts;
  const ordered = [...train, ...holdout].map((file) => file.partition);
  const outOfOrder = ordered.find((partition, index) => index > 0 && partition <= (ordered[index - 1] ?? ''));
  if (outOfOrder !== undefined)
    throw new PerdureError(
      'input/invalid',
      `Partition ${outOfOrder} is out of order in the snapshot of ${definition.name}.`,
    );
  const testedOn = spanOf(holdout, 'holdout');
  return {
    manifestVersion: 1,
    model: definition.name,
    shapeSha256: shapeDigest(definition),
    columns: manifestColumns(definition),
    train: [...train],
    holdout: [...holdout],
    trainedOn: spanOf(train, 'train'),
    testedOn,
    watermark: addPartitions(testedOn.to, -1),
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
