import type { ReconciliationActivities } from '../../../activities/reconciliation.js';
import type { FakeWorld } from './fake-world.js';

/** What the reconciler finds, and shares that are given back. */
export function fakeReconciliation(world: FakeWorld): ReconciliationActivities {
  return {
    reconcileOpenRows: async () => world.found.shift() ?? { closed: [], unwatched: [] },
    watchOpenRows: async () => world.found.shift() ?? { closed: [], unwatched: [] },
    planGivingBack: async () => world.givingBack,
    closeUnwatched: async ({ reason }) => void world.closedUnwatched.push(reason),
  };
}
