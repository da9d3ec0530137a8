import { cadenceIn, cadenceWords } from '../../cadence.js';
import { windowIn, type DataPolicy } from '../data-policy.js';
import { begunPartition } from '../../calendar/partition-bounds.js';
import { addPartitions, describeRange, type Partition } from '../../partition.js';

/** Somewhere on Earth the next month has begun this long before it does in UTC. */
const earliestZoneMs = 14 * 3_600_000;

/**
 * Why a partition is probably a slip of the pen, or undefined: training goes up to the newest one and needs all before
 * it, so that one wrong name stops every later run.
 * @param present the partitions of the table that have landed
 */
export function whyUnlikely(
  data: Pick<DataPolicy, 'base' | 'window' | 'cadence' | 'timeZone'>,
  { table, partition, present, now }: { table: string; partition: Partition; present: readonly Partition[]; now: Date },
): string | undefined {
  const { one } = cadenceWords[cadenceIn(data)];
  const current = begunPartition(data, data.cadence ? now : new Date(now.getTime() + earliestZoneMs));
  if (partition > current) return `${partition} is in the future: this ${one} is ${current}`;
  if (table !== data.base) return undefined;
  const { from } = windowIn(data);
  if (partition < from) return `${partition} is before ${from}, where the model's window begins: no run would read it`;
  const newest = present.reduce<Partition | undefined>(
    (last, other) => (last === undefined || other > last ? other : last),
    undefined,
  );
  if (newest === undefined || partition <= newest || partition === addPartitions(newest, 1)) return undefined;
  const gap = describeRange(addPartitions(newest, 1), addPartitions(partition, -1));
  return `${partition} would leave a gap: the newest ${one} of ${table} is ${newest}; missing: ${gap}`;
}
