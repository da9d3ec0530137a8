import { cadenceWords } from '../../cadence.js';
import { slidingLength, windowPartitionsMax, type DataWindow } from '../data-policy.js';
import { partitionsNeeded, splitIn, type SplitPolicy } from '../split-policy.js';
import { groupBy } from '../../group-by.js';
import {
  addPartitions,
  cadenceOf,
  countPartitions,
  describePartitions,
  partitionRange,
  type Partition,
} from '../../partition.js';

/** Which partitions a snapshot is made of, or why there is none to make. */
export type WindowPlan =
  | { kind: 'planned'; partitions: Partition[]; train: Partition[]; holdout: Partition[] }
  | { kind: 'no-new-data'; message: string; newest: Partition; watermark: Partition }
  | { kind: 'too-few-partitions'; message: string; available: Partition[] }
  | { kind: 'too-many-partitions'; message: string }
  | { kind: 'gap'; message: string; missing: Partition[] }
  | { kind: 'until-missing'; message: string; until: Partition };

export interface WindowQuestion {
  window: DataWindow;
  /** The last partition is held out where it is absent. */
  split?: SplitPolicy;
  /** Partitions that have arrived, in any order. */
  available: readonly Partition[];
  /** Left out by a person's decision: skipped, and no gap. */
  discarded?: readonly Partition[];
  /** Arrived, and their labels may still come. */
  immature?: readonly Partition[];
  /** The last partition to use, whatever arrived later; the watermark is then ignored. */
  until?: Partition | undefined;
  /** The last partition that the last result used. */
  watermark?: Partition | undefined;
  /** Partitions up to the watermark whose content the last result has not seen: as new as one that has just arrived. */
  changed?: readonly Partition[];
}

/** A gap of more partitions than this is not named one by one. */
const namedMax = 1_000_000;

/**
 * Plans the training window. It ends at `until`, else at the newest usable partition. The last are the holdout; of a
 * split that goes through partitions each one is on both sides. Whether the partitions of the plan pass validation is
 * seen later: `activities/data/snapshot-files.ts`.
 */
export function planWindow(question: WindowQuestion): WindowPlan {
  const { window, until, watermark, split = splitIn({}) } = question;
  const discarded = new Set(question.discarded ?? []);
  const usable = new Set(question.available.filter((partition) => !discarded.has(partition)));
  const ordered = [...usable].filter((partition) => partition >= window.from).sort();

  const end = until ?? ordered.at(-1);
  const { one, many } = cadenceWords[cadenceOf(window.from)];
  const length = slidingLength(window);
  const slidingStart = end !== undefined && length !== undefined ? addPartitions(end, 1 - length) : window.from;
  const start = slidingStart > window.from ? slidingStart : window.from;
  if (end === undefined) {
    return {
      kind: 'too-few-partitions',
      message: `No usable partition from ${window.from} on has arrived. Put data for at least two ${many}.`,
      available: [],
    };
  }
  if (until !== undefined && !ordered.includes(until)) {
    return {
      kind: 'until-missing',
      message:
        `Partition ${until} ${whyUnusable(until, question)}. Usable are: ` +
        `${describePartitions(ordered) || 'none'}.`,
      until,
    };
  }
  const isNew = (partition: Partition) => partition >= start && usable.has(partition);
  if (until === undefined && watermark !== undefined && end <= watermark && !question.changed?.some(isNew)) {
    const removed = end < watermark ? ' Removed partitions are no reason to train.' : '';
    return {
      kind: 'no-new-data',
      message:
        'Nothing has arrived or been corrected since the last result: the newest usable partition is ' +
        `${end}, the watermark is ${watermark}.${removed}`,
      newest: end,
      watermark,
    };
  }
  const held = countPartitions(start, end);
  const tooMany = (count: number): WindowPlan => ({
    kind: 'too-many-partitions',
    message:
      `The window ${start} to ${end} holds ${count} ${many}; at most ${windowPartitionsMax} are read. Begin it later ` +
      '(data.window.from), let it slide, land data at a longer cadence, or remove what was put by mistake with ' +
      '`perdure data rm`.',
  });
  if (held > namedMax) return tooMany(held);
  const wanted = partitionRange(start, end).filter((partition) => !discarded.has(partition));
  const missing = wanted.filter((partition) => !usable.has(partition));
  if (missing.length > 0) {
    const reasons = groupBy(missing, (partition) => whyUnusable(partition, question));
    const named = [...reasons].map(([why, partitions]) => `${describePartitions(partitions)} ${why}`).join('; ');
    return {
      kind: 'gap',
      message:
        `The window ${wanted[0]} to ${end} has gaps: ${named}. Put or release the data, or discard ` +
        `the partition; remove a${one === 'hour' ? 'n' : ''} ${one} that was put by mistake with \`perdure data rm\`.`,
      missing,
    };
  }
  if (wanted.length > windowPartitionsMax) return tooMany(wanted.length);
  const least = partitionsNeeded(split);
  if (wanted.length < least) {
    return {
      kind: 'too-few-partitions',
      message:
        `The window holds ${describePartitions(wanted)}; ` + `training and its test need at least ${least} partitions.`,
      available: wanted,
    };
  }
  return {
    kind: 'planned',
    partitions: wanted,
    ...(split.kind === 'last'
      ? { train: wanted.slice(0, -split.partitions), holdout: wanted.slice(-split.partitions) }
      : { train: wanted, holdout: wanted }),
  };
}

function whyUnusable(partition: Partition, { window, discarded, immature }: WindowQuestion): string {
  if (immature?.includes(partition)) return 'is not mature yet: labels may still come (data.maturity)';
  if (discarded?.includes(partition)) return 'was discarded';
  if (partition < window.from) return `is before the window's start, ${window.from}`;
  return 'has not arrived';
}
