import type { Partition } from '../../partition.js';
import type { PartitionFile, SnapshotManifest } from './snapshot.js';

/**
 * What became of a partition since it was used: `unread` where no run has read it as it lies there, `removed` where it
 * is not there any more.
 */
export type TrainedState = 'same' | 'new' | 'corrected' | 'unread' | 'removed';

/** What a partition's rows were used for: `divided` where some trained and some tested. */
export const partitionUses = ['trained', 'tested', 'divided', 'cross-validated'] as const;
export type PartitionUse = (typeof partitionUses)[number];

/** What each partition of a snapshot was used for, and how many of its rows. */
export function usesOf({
  train,
  holdout,
}: Pick<SnapshotManifest, 'train' | 'holdout'>): Map<Partition, { use: PartitionUse; rows: number }> {
  const files = new Map([...train, ...holdout].map((file) => [`${file.partition} ${file.sha256}`, file]));
  const sides = (of: readonly PartitionFile[]) => new Set(of.map(({ partition }) => partition));
  const [trained, tested] = [sides(train), sides(holdout)];
  const uses = new Map<Partition, { use: PartitionUse; rows: number }>();
  for (const { partition, rows, fold } of files.values()) {
    const both = fold === undefined ? 'divided' : 'cross-validated';
    const use = !tested.has(partition) ? 'trained' : trained.has(partition) ? both : 'tested';
    uses.set(partition, { use, rows: rows + (uses.get(partition)?.rows ?? 0) });
  }
  return uses;
}

export interface TrainedPartition {
  partition: Partition;
  content: TrainedState;
  /** Digests of what the partition was made from, and is made from now. */
  usedSha256: string | null;
  nowSha256: string | null;
}

/**
 * What was used of each partition, against what is there now.
 * @param now the digest of what each partition is made from; null where no run has read it as it lies there; absent
 * where nothing lies there
 * @param asked these partitions alone
 */
export function trainedPartitions(
  used: Pick<SnapshotManifest, 'train' | 'holdout'>,
  now: ReadonlyMap<Partition, string | null>,
  asked: readonly Partition[],
): TrainedPartition[] {
  const before = new Map([...used.train, ...used.holdout].map((file) => [file.partition, file.inputsSha256]));
  return asked.toSorted().flatMap((partition) => {
    const usedSha256 = before.get(partition) ?? null;
    const nowSha256 = now.get(partition) ?? null;
    if (usedSha256 === null && !now.has(partition)) return [];
    return [{ partition, content: stateOf(usedSha256, nowSha256, now.has(partition)), usedSha256, nowSha256 }];
  });
}

function stateOf(used: string | null, now: string | null, isThere: boolean): TrainedState {
  if (!isThere) return 'removed';
  if (used === null) return 'new';
  if (now === null) return 'unread';
  return used === now ? 'same' : 'corrected';
}
