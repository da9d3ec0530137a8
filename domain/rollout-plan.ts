import type { RolloutPolicy } from './rollout-policy.js';
import type { RolloutParties, RolloutStage } from './rollout-stage.js';

/** What a rollout does, settled before anything moves and never changed: editing the model's file changes no rollout in flight. */
export interface SettledRollout {
  policy: RolloutPolicy;
  parties: RolloutParties;
  stages: RolloutStage[];
}
