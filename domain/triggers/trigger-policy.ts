import { z } from 'zod';
import { timeZoneSchema } from '../calendar/time-zone.js';

/**
 * Pull-based training: a cron expression read in a time zone. The expression itself is checked where the definition is
 * loaded (`client/triggers/schedule-plan.ts`).
 */
export const scheduleSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes'),
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: z.string().min(9).max(200),
  timeZone: timeZoneSchema.default('UTC'),
  paused: z.boolean().default(false),
});
export type ModelSchedule = z.infer<typeof scheduleSchema>;

export const triggerPolicySchema = z.strictObject({
  schedules: z
    .array(scheduleSchema)
    .default([])
    .refine(
      (schedules) => new Set(schedules.map((schedule) => schedule.name)).size === schedules.length,
      'two schedules have the same name',
    ),
});
export type TriggerPolicy = z.infer<typeof triggerPolicySchema>;
