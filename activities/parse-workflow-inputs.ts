import type { ActivityDependencies } from './dependencies.js';
import { mergeActivities } from './merge-activities.js';
import { createPromoteRequestActivities } from './promotion/promote-request.js';
import { createRolloutRequestActivities } from './rollout/rollout-requests.js';
import { createTrainRequestActivities } from './training/train-request.js';

/**
 * Checks what a workflow was started with and fills in what follows from it. Local activities: a bad input fails at
 * once, naming the field.
 */
export function createRequestActivities(deps: Pick<ActivityDependencies, 'db' | 'config'>) {
  return mergeActivities({
    train: createTrainRequestActivities(deps),
    promote: createPromoteRequestActivities(deps),
    rollout: createRolloutRequestActivities(deps),
  });
}

export type RequestActivities = ReturnType<typeof createRequestActivities>;
