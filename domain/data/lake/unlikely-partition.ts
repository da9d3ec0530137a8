import type { DataPolicy } from '../data-policy.js';
import { addPartitions, describePartitions, partitionRange, type Partition } from '../../partition.js';

/** Somewhere on Earth the next month has begun this long before it does in UTC. */
const earliestZoneMs = 14 * 3_600_000;

/**
 * Why a partition is probably a slip of the pen, or undefined: training goes up to the newest month and needs all
 * months before it, so that one wrong name stops every later run.
 * @param present the partitions of the table that have landed
 */
export function whyUnlikely(
  data: Pick<DataPolicy, 'base' | 'window'>,
  { table, partition, present, now }: { table: string; partition: Partition; present: readonly Partition[]; now: Date },
): string | undefined {
  const thisMonth = new Date(now.getTime() + earliestZoneMs).toISOString().slice(0, 7);
  if (partition > thisMonth) return `${partition} is in the future: this month is ${thisMonth}`;
  if (table !== data.base) return undefined;
  if (partition < data.window.from)
    return `${partition} is before ${data.window.from}, where the model's window begins: no run would read it`;
  const newest = present.reduce<Partition | undefined>(
    (last, one) => (last === undefined || one > last ? one : last),
    undefined,
  );
  if (newest === undefined || partition <= newest || partition === addPartitions(newest, 1)) return undefined;
  const gap = describePartitions(partitionRange(addPartitions(newest, 1), addPartitions(partition, -1)));
  return `${partition} would leave a gap: the newest month of ${table} is ${newest}; missing: ${gap}`;
}
