import { z } from 'zod';

const firingSchema = z.object({
  /** The time of the firing. */
  scheduledFor: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  lateSeconds: z.number(),
  workflowId: z.string(),
  /** Null until a worker has begun it; the outcome until it has ended. */
  runId: z.string().nullable(),
  outcome: z.string().nullable(),
});

/** A kind of firing that did not go as it should: how many there were, and why. */
const troubleSchema = z.object({
  count: z.number().int(),
  /** Null where there was none. */
  reason: z.string().nullable(),
});

export const scheduleViewSchema = z.object({
  /** Of the Schedule in Temporal. */
  id: z.string(),
  model: z.string(),
  name: z.string(),
  cron: z.string(),
  timeZone: z.string(),
  /** `absent` where Temporal has no Schedule of it. */
  state: z.enum(['active', 'paused', 'absent']),
  /** Since when firings are counted; null where it is absent. */
  countedSince: z.iso.datetime().nullable(),
  nextFirings: z.array(z.iso.datetime()),
  last: firingSchema.nullable(),
  /** Runs that it began. */
  fired: z.number().int(),
  /** Firings that began nothing, since the run of an earlier one was still going. */
  overlapped: troubleSchema,
  /** Firings that nothing caught up with. */
  missed: troubleSchema,
  /** Runs that began more than a minute after their firing. */
  late: troubleSchema,
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;
export const scheduleListSchema = z.object({ items: z.array(scheduleViewSchema), next: z.string().nullable() });
