import type { ActivityDependencies } from './dependencies.js';
import { createEvaluationActivities } from './evaluation.js';
import { createGatewayActivities } from './gateways.js';
import { createLeaseActivities } from './leases.js';
import { createPromotionActivities } from './promotions.js';
import { createReconciliationActivities } from './reconciliation.js';
import { createRegistryActivities } from './registry.js';
import { createReviewActivities } from './reviews.js';
import { createRolloutLookActivities } from './rollout-looks.js';
import { createRolloutActivities } from './rollouts.js';
import { createRunActivities } from './runs.js';
import { createSnapshotActivities } from './snapshot.js';
import { createSupersedingActivities } from './superseding.js';
import { createSteeringActivities } from './steering.js';
import { createTrainingActivities } from './training.js';

/** All activities, by the queue they are taken from. */
export function createActivities(deps: ActivityDependencies) {
  return {
    light: {
      ...createGatewayActivities(deps),
      ...createLeaseActivities(deps),
      ...createPromotionActivities(deps),
      ...createReconciliationActivities(deps),
      ...createRegistryActivities(deps),
      ...createReviewActivities(deps),
      ...createRolloutActivities(deps),
      ...createRolloutLookActivities(deps),
      ...createRunActivities(deps),
      ...createSteeringActivities(deps),
      ...createSupersedingActivities(deps),
    },
    heavy: { ...createEvaluationActivities(deps), ...createSnapshotActivities(deps), ...createTrainingActivities(deps) },
  };
}
