import { z } from 'zod';

/**
 * A partition is one calendar month, written `YYYY-MM`; which month a row belongs to is a column of the data, not its
 * UTC time.
 */
export const partitionSchema = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month written YYYY-MM, for example 2013-04');

export type Partition = z.infer<typeof partitionSchema>;

const monthsSinceZero = (partition: Partition): number =>
  Number(partition.slice(0, 4)) * 12 + Number(partition.slice(5)) - 1;

const fromMonths = (months: number): Partition =>
  `${String(Math.floor(months / 12)).padStart(4, '0')}-${String((months % 12) + 1).padStart(2, '0')}`;

/** The partition `steps` months later (earlier when negative). */
export function addPartitions(partition: Partition, steps: number): Partition {
  return fromMonths(monthsSinceZero(partition) + steps);
}

/** All partitions from `from` to `until`, both included; empty when `until` is earlier. */
export function partitionRange(from: Partition, until: Partition): Partition[] {
  const first = monthsSinceZero(from);
  const count = Math.max(0, monthsSinceZero(until) - first + 1);
  return Array.from({ length: count }, (_, index) => fromMonths(first + index));
}

const rangesMax = 10;

/** Partitions in few words, however many there are: `2013-02, 2013-05 … 2014-01`. */
export function describePartitions(partitions: readonly Partition[]): string {
  const ranges: { first: Partition; last: Partition }[] = [];
  for (const partition of partitions.toSorted()) {
    const range = ranges.at(-1);
    if (range && partition <= addPartitions(range.last, 1)) range.last = partition;
    else ranges.push({ first: partition, last: partition });
  }
  const shown = ranges.slice(0, rangesMax).map(({ first, last }) => (first === last ? first : `${first} … ${last}`));
  const more = ranges.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more ranges` : '');
}
