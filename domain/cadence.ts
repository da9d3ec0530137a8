import { z } from 'zod';

/** How often new data comes: how long a partition is. `static` data has one partition, which is replaced whole. */
export const cadenceSchema = z.enum(['hour', 'day', 'week', 'month', 'static']);
export type Cadence = z.infer<typeof cadenceSchema>;

/** What people call a partition of each cadence, how it is written, and an example. */
export const cadenceWords = {
  hour: { one: 'hour', many: 'hours', form: 'YYYY-MM-DDTHH', example: '2013-04-07T13' },
  day: { one: 'day', many: 'days', form: 'YYYY-MM-DD', example: '2013-04-07' },
  week: { one: 'week', many: 'weeks', form: 'YYYY-Www', example: '2013-W14' },
  month: { one: 'month', many: 'months', form: 'YYYY-MM', example: '2013-04' },
  static: { one: 'whole table', many: 'whole tables', form: 'all', example: 'all' },
} as const satisfies Record<Cadence, { one: string; many: string; form: string; example: string }>;

/** Definitions of before there were cadences are monthly. */
export const cadenceIn = (data: { cadence?: Cadence | undefined }): Cadence => data.cadence ?? 'month';
