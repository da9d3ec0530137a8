import { cadenceIn, type Cadence } from '../cadence.js';
import { addPartitions, cadenceOf, partitionNumber, wholeTable, type Partition } from '../partition.js';
import { wallClock } from './wall-clock.js';

/** An instant in milliseconds since 1970, UTC. */
type Instant = number;

/** What lies in a partition: instants from `start` on, before `end`. */
export interface PartitionBounds {
  start: Instant;
  end: Instant;
}

/**
 * When a partition begins and ends: an hour in UTC, anything longer at midnights of the zone. A day on which the clocks
 * change has 23 or 25 hours, and one that the zone skipped has none. Static data has no bounds.
 */
export function partitionBounds(partition: Partition, timeZone: string): PartitionBounds | undefined {
  const cadence = cadenceOf(partition);
  if (cadence === 'static') return undefined;
  if (cadence === 'hour') {
    const start = partitionNumber(partition) * 3_600_000;
    return { start, end: start + 3_600_000 };
  }
  const clock = wallClock(timeZone);
  const midnight = (first: Partition) => clock.instant({ ...firstDay(first, cadence), hour: 0, minute: 0 });
  return { start: midnight(partition), end: midnight(addPartitions(partition, 1)) };
}

function firstDay(partition: Partition, cadence: 'day' | 'week' | 'month') {
  const count = partitionNumber(partition);
  if (cadence === 'month') return { year: Math.floor(count / 12), month: (count % 12) + 1, day: 1 };
  const at = new Date((cadence === 'week' ? count * 7 - 3 : count) * 86_400_000);
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
}

/** The partition in which an instant lies. */
export function partitionAt(instant: Instant, cadence: Cadence, timeZone: string): Partition {
  if (cadence === 'static') return wholeTable;
  if (cadence === 'hour') return new Date(instant).toISOString().slice(0, 13);
  const { year, month, day } = wallClock(timeZone).read(instant);
  const date = new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
  if (cadence === 'day') return date;
  if (cadence === 'month') return date.slice(0, 7);
  // Any week, moved to the one of this date.
  const week = Math.floor((partitionNumber(date) + 3) / 7);
  return addPartitions('1970-W01', week);
}

interface Calendar {
  cadence?: Cadence | undefined;
  timeZone?: string | undefined;
}

/** The zone whose midnights part a model's partitions. */
export const timeZoneIn = ({ timeZone }: Calendar): string => timeZone ?? 'UTC';

/** The newest partition that has begun. */
export const begunPartition = (data: Calendar, now: Date): Partition =>
  partitionAt(now.getTime(), cadenceIn(data), timeZoneIn(data));
