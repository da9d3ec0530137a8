import type { ActivityDependencies } from './dependencies.js';
import { mergeActivities } from './merge-activities.js';
import { createPromoteInputActivities } from './promotion/promote-input.js';
import { createRolloutInputActivities } from './rollout/rollout-inputs.js';
import { createTrainInputActivities } from './training/train-input.js';

/**
 * Checks what a workflow was started with and fills in what follows from it. Local activities: a bad input fails at
 * once, naming the field.
 */
export function createRequestActivities(deps: Pick<ActivityDependencies, 'db' | 'config'>) {
  return mergeActivities({
    train: createTrainInputActivities(deps),
    promote: createPromoteInputActivities(deps),
    rollout: createRolloutInputActivities(deps),
  });
}

export type RequestActivities = ReturnType<typeof createRequestActivities>;
