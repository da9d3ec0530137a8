import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityDependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { closeOpenRows } from './close-open-rows.js';

/** How long what is no longer true may stand, at most: a pass takes a second or two. */
const passEveryMs = 15_000;
/** A watch that has found nothing for so long begins anew. */
const watchMs = 23 * 3_600_000;

/** Makes rows true again whose workflows ended without ending them: terminated, timed out or failed half-way. */
export function createReconciliationActivities(
  deps: Pick<ActivityDependencies, 'db' | 'temporal'>,
  { everyMs = passEveryMs } = {},
) {
  return {
    /** One pass. */
    reconcileOpenRows: () => closeOpenRows(deps),

    /**
     * Pass after pass, until one finds something or some hours are over. Begun again elsewhere when its worker dies: no
     * pass depends on the one before.
     */
    watchOpenRows: () =>
      withHeartbeat(async (signal) => {
        const untilMs = Date.now() + watchMs;
        for (;;) {
          const found = await closeOpenRows(deps);
          if (found.closed.length > 0 || found.unwatched.length > 0 || Date.now() >= untilMs) return found;
          await delay(everyMs, undefined, { signal });
        }
      }),
  };
}

export type ReconciliationActivities = ReturnType<typeof createReconciliationActivities>;
