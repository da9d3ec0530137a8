import type { Cause } from '../cause.js';

/** Temporal's keys: 1 goes first. */
export const runPriorities = { first: 1, last: 5 } as const;

/** Somebody waits for it, or production suffers (2); it comes with time, data or code (3); it can wait (4). */
const usual: Readonly<Record<Cause['kind'], number>> = {
  person: 2,
  drift: 2,
  performance: 2,
  schedule: 3,
  data: 3,
  code: 3,
  message: 3,
  backfill: 4,
};
/** Whose priority a definition may state: nobody waits for these, and nobody asked for many at once. */
const statable: ReadonlySet<Cause['kind']> = new Set(['schedule', 'data', 'code', 'message']);

/**
 * Which runs go first, 1 before 5. `stated` is `training.priority` of the applied definition; what it may say at most
 * is the environment's.
 * @example runPriority('schedule', 1, 2) // 2: the environment lets no definition say 1
 */
export function runPriority(cause: Cause['kind'], stated: number | undefined, highestStated: number): number {
  if (stated === undefined || !statable.has(cause)) return usual[cause];
  return Math.max(stated, highestStated);
}

/** Every so long a run that waits is one step more urgent: a backfill of yesterday goes before what came today. */
export const urgencyStepMs = 6 * 3_600_000;

/**
 * How urgent a run is after a wait, 1 before 5: nothing waits for ever behind what is more urgent, for a day at most.
 * Never above 1, where those that came first go first.
 * @example urgencyAfter(4, 13 * 3_600_000) // 2
 */
export const urgencyAfter = (priority: number, waitedMs: number): number =>
  Math.max(runPriorities.first, priority - Math.floor(Math.max(0, waitedMs) / urgencyStepMs));
