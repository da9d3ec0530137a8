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
