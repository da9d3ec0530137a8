import { digestOf } from '../../canonical-json.js';
import { partitionBounds } from '../../calendar/partition-bounds.js';
import { cadenceOf, type Partition } from '../../partition.js';
import { isStable } from '../split-policy.js';
import type { PartitionFile, SnapshotManifest } from './snapshot.js';

/** What a model was trained on: its snapshot, and whether it was fitted once more on the holdout too. */
export interface TrainedModel {
  snapshot: SnapshotManifest;
  refitted?: boolean;
}

/**
 * The partitions of a holdout of which a model has learned rows: it cannot be judged on them. Empty where it may be.
 */
export function knownPartitions(
  { snapshot, refitted = false }: TrainedModel,
  heldOutBy: SnapshotManifest,
): Partition[] {
  const learned = refitted ? [...snapshot.train, ...snapshot.holdout] : snapshot.train;
  if (!refitted && sameSides(snapshot, heldOutBy)) return [];
  const seen = new Set(learned.map((file) => file.partition));
  const files = new Set(learned.map(nameOf));
  // Parts of a partition share no row: whoever has held out this very file has not trained on it.
  const spared = new Set(refitted || isOfFolds(snapshot) ? [] : snapshot.holdout.map(nameOf));
  const known = heldOutBy.holdout.filter(
    (file) =>
      files.has(nameOf(file)) || (seen.has(file.partition) ? !spared.has(nameOf(file)) : overlaps(learned, file)),
  );
  return [...new Set(known.map((file) => file.partition))];
}

const nameOf = ({ partition, sha256 }: PartitionFile): string => `${partition} ${sha256}`;

/** A cross-validated model was at last fitted on every fold. */
const isOfFolds = ({ split }: SnapshotManifest): boolean => split?.kind === 'folds';

/** Whether both snapshots were divided in one way, by which a row always comes to the same side. */
function sameSides(one: SnapshotManifest, other: SnapshotManifest): boolean {
  const entities = ({ columns }: SnapshotManifest) => columns.filter(({ role }) => role === 'entity');
  return (
    one.split !== undefined &&
    other.split !== undefined &&
    one.split.kind !== 'last' &&
    isStable(one.split) &&
    digestOf([one.split, entities(one)]) === digestOf([other.split, entities(other)])
  );
}

/** The widest that two zones are apart from UTC: a partition of the one may begin so much earlier than of the other. */
const zonesMs = 14 * 3_600_000;

/** Whether partitions of another cadence reach into this one: their names say nothing of it. */
function overlaps(learned: readonly PartitionFile[], { partition }: PartitionFile): boolean {
  const [first, last] = [learned[0]?.partition, learned.at(-1)?.partition];
  if (first === undefined || last === undefined || cadenceOf(first) === cadenceOf(partition)) return false;
  const [from, to, own] = [first, last, partition].map((one) => partitionBounds(one, 'UTC'));
  if (!from || !to || !own) return true;
  return own.start < to.end + zonesMs && from.start < own.end + zonesMs;
}
