import { describePartitions, type Partition } from '../../partition.js';
import type { SnapshotManifest } from './snapshot.js';

/** The last run of a definition that came to a result on the newest data, and what it was given. */
export interface LastResult {
  runId: string;
  startedAt: Date;
  manifest: SnapshotManifest;
}

/** What lies in a partition now. */
export interface PartitionNow {
  partition: Partition;
  inputsSha256: string;
  /** What was put last of what it is made from. */
  newest: { table: string; at: string; actor: string | null };
}

export interface ChangedPartition extends PartitionNow {
  /** Digest of what the last result was made from; null where it did without this partition. */
  usedSha256: string | null;
}

/**
 * The partitions up to the watermark whose content the last result has not seen: corrected since, or come late. They
 * are as new as a partition that has just arrived. Where a newer program shapes rows differently, digests cannot be
 * compared, and no partition counts as corrected.
 */
export function changedPartitions(
  last: LastResult,
  shapeSha256: string,
  now: readonly PartitionNow[],
): ChangedPartition[] {
  const { train, holdout, trainedOn, watermark } = last.manifest;
  const used = new Map([...train, ...holdout].map((file) => [file.partition, file.inputsSha256]));
  return now.flatMap((one) => {
    if (one.partition < trainedOn.from || one.partition > watermark) return [];
    const usedSha256 = used.get(one.partition) ?? null;
    if (usedSha256 === one.inputsSha256) return [];
    if (usedSha256 !== null && last.manifest.shapeSha256 !== shapeSha256) return [];
    return [{ ...one, usedSha256 }];
  });
}

/**
 * Whether the rows of a window are those of the last result, though files were put again: then there is nothing to
 * learn.
 */
export function hasSameRows(last: LastResult, now: Pick<SnapshotManifest, 'train' | 'holdout'>): boolean {
  const used = [...last.manifest.train, ...last.manifest.holdout];
  const files = [...now.train, ...now.holdout];
  return (
    used.length === files.length &&
    used.every(({ partition, sha256 }, index) => isSame(files[index], partition, sha256))
  );
}

const isSame = (
  file: { partition: Partition; sha256: string } | undefined,
  partition: Partition,
  sha256: string,
): boolean => file?.partition === partition && file.sha256 === sha256;

const namedMax = 3;

/** Why there is something to learn, in words: what arrived and what was corrected since the last result. */
export function describeNewData(
  last: LastResult,
  planned: readonly Partition[],
  changed: readonly ChangedPartition[],
): string {
  const arrived = planned.filter((partition) => partition > last.manifest.watermark);
  const inWindow = changed.filter(({ partition }) => planned.includes(partition));
  const corrected = inWindow.slice(0, namedMax).map((one) => describeChange(one, last));
  const more =
    inWindow.length > namedMax
      ? [`${describePartitions(inWindow.slice(namedMax).map(({ partition }) => partition))} too`]
      : [];
  return [...(arrived.length > 0 ? [`${describePartitions(arrived)} arrived`] : []), ...corrected, ...more].join('; ');
}

/**
 * One change in words: `2013-02 was corrected on … by ada (flights): the last run, ID, used 1a2b…, now it is 3c4d…`.
 */
export function describeChange(
  { partition, newest, usedSha256, inputsSha256 }: ChangedPartition,
  { runId }: LastResult,
): string {
  const on =
    `${newest.at.slice(0, 16).replace('T', ' ')} ` +
    `UTC${newest.actor === null ? '' : ` by ${newest.actor}`} (${newest.table})`;
  return usedSha256 === null
    ? `${partition} arrived late, on ${on}: the last run, ${runId}, did not use it`
    : `${partition} was corrected on ${on}: the last run, ${runId}, used ${short(usedSha256)}; it is now ` +
        `${short(inputsSha256)}`;
}

const short = (sha256: string) => sha256.slice(0, 12);
