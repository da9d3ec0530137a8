import { z } from 'zod';
import { partitionBounds, timeZoneIn } from '../calendar/partition-bounds.js';
import type { Partition } from '../partition.js';

const hourMs = 3_600_000;

/** How long after its event a row's label is known for certain. */
export const maturitySchema = z
  .strictObject({
    hours: z.number().int().min(1).max(17_568).optional(),
    days: z.number().int().min(1).max(732).optional(),
  })
  .refine(({ hours, days }) => (hours === undefined) !== (days === undefined), 'give either hours or days');

interface MaturingData {
  maturity?: z.infer<typeof maturitySchema> | undefined;
  timeZone?: string | undefined;
}

const delayMs = ({ maturity }: MaturingData): number => ((maturity?.days ?? 0) * 24 + (maturity?.hours ?? 0)) * hourMs;

/** When the last row of a partition is mature; undefined where nothing has to mature, and for static data. */
export function matureFrom(data: MaturingData, partition: Partition): Date | undefined {
  const bounds = data.maturity && partitionBounds(partition, timeZoneIn(data));
  return bounds && new Date(bounds.end + delayMs(data));
}

/** Whether labels of a partition may still be missing. */
export function isImmature(data: MaturingData, partition: Partition, now: Date): boolean {
  const from = matureFrom(data, partition);
  return from !== undefined && from > now;
}

/** Rows of static data whose event came later than this are not mature; undefined where nothing has to mature. */
export const maturedUntil = (data: MaturingData, now: Date): Date | undefined =>
  data.maturity && new Date(now.getTime() - delayMs(data));

const namedMax = 3;

/** A sentence about partitions that are left out until they are mature; empty where there are none. */
export function describeImmature(data: MaturingData, immature: readonly Partition[]): string {
  if (immature.length === 0) return '';
  const named = immature.slice(0, namedMax).map((one) => {
    const from = matureFrom(data, one)?.toISOString().slice(0, 16).replace('T', ' ') ?? '';
    return `${one} until ${from} UTC`;
  });
  const more = immature.length > namedMax ? ` and ${immature.length - namedMax} more` : '';
  return ` Left out, for labels may still come: ${named.join(', ')}${more}.`;
}
