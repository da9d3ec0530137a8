import type { ServingGrain } from './serving-window.js';

/** Jobs of retention, each shown with its last run. */
export const retentionJobs = ['serving-windows', 'old-rows', 'old-logs', 'lake-files'] as const;
export type RetentionJob = (typeof retentionJobs)[number];
/** What is done again and again, and written down when it has ended well. */
export type UpkeepJob = RetentionJob | 'log-compaction';

const dayMs = 86_400_000;

/** How long rows of each grain are kept before they are rolled up into the next; days end with the model's logs. */
export const grainKeptMs: Readonly<Record<Exclude<ServingGrain, 'day'>, number>> = {
  minute: 2 * dayMs,
  hour: 35 * dayMs,
};

/** How old windows are when they are rolled up: what came in the same moment is rolled up at once. */
export const windowKeptSeconds = 60;

/** Of what nobody sets: how long the rows are kept, in days. */
export const keptDays = {
  /** A gateway without a heartbeat, and all that it acknowledged. */
  silentGateway: 7,
  gatewayEvent: 90,
  /** By then no gateway process offers a window again that was counted before. */
  servingMark: 30,
  /** After a rollout's end, what the judge saw in each look; thereafter what it saw in the telling ones. */
  lookInputs: 90,
  /** What a trainer handed over for the evaluation of its run. */
  runFiles: 30,
} as const;

/** Kept of a model whose definition says nothing any more. */
export const retentionDaysDefault = 400;

/** The first day, as log keys write it, that is kept: a day is removed when all of it is older than `retentionDays`. */
export function firstDayKept(now: Date, retentionDays: number): string {
  return new Date(now.getTime() - retentionDays * dayMs).toISOString().slice(0, 10);
}
