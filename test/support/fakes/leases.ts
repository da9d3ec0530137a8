import type { LeaseActivities } from '../../../activities/leases.js';
import { PerdureError } from '../../../domain/errors.js';
import { holderText } from '../../../domain/lease-holder.js';
import type { WorldFacts } from './world-facts.js';

/** Leases by name, each with its holder. */
export function fakeLeases(world: WorldFacts): LeaseActivities {
  const take = (name: string, holder: { workflowId: string; runId: string }, overtakes = false) => {
    const text = holderText(holder);
    const held = world.leases.get(name);
    if (held !== undefined && held !== text && !overtakes) {
      world.refusedLeases += 1;
      throw new PerdureError('lease/held', `held by ${held}`);
    }
    world.leases.set(name, text);
    return { name, holder: text, token: 1 };
  };
  return {
    takeTrainingLease: async ({ model, holder }) => take(`train/${model}`, holder),
    takeRolloutLease: async ({ environment, model, holder, takeOverAfterSeconds }) =>
      take(`rollout/${environment}/${model}`, holder, takeOverAfterSeconds !== undefined && world.waitedLong),
    releaseLease: async ({ name, holder }) => {
      if (world.leases.get(name) === holder) world.leases.delete(name);
    },
  };
}
