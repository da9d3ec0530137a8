import type { ReconciliationActivities } from '../../../activities/reconciliation.js';
import type { GivingBackActivities } from '../../../activities/rollout/giving-back.js';
import type { WorldFacts } from './world-facts.js';

/** What the reconciler finds, and shares that are given back. */
export function fakeReconciliation(world: WorldFacts): ReconciliationActivities & GivingBackActivities {
  return {
    reconcileOpenRows: async () => world.found.shift() ?? { closed: [], unwatched: [] },
    watchOpenRows: async () => world.found.shift() ?? { closed: [], unwatched: [] },
    planGivingBack: async () => world.givingBack,
    closeUnwatched: async ({ reason }) => void world.closedUnwatched.push(reason),
  };
}
