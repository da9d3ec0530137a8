import { PerdureError } from '../errors.js';
import type { RolloutPolicy } from './rollout-policy.js';
import type { RolloutStage } from './judge/rollout-stage.js';
import type { RolloutParties } from './strategy-stages.js';

/**
 * What a rollout does, settled before anything moves and never changed: editing the model's file changes no rollout in
 * flight.
 */
export interface SettledRollout {
  policy: RolloutPolicy;
  parties: RolloutParties;
  stages: RolloutStage[];
  /** Each judged stage's part of the policy's alpha. */
  alphaOfStage: number;
  /**
   * The epoch that was in force before; null in an empty environment. What the champion did since then is what a stage
   * at full share is compared with.
   */
  epochBefore: number | null;
}

/** The policy's alpha is that of the whole rollout: the judged stages share it evenly. */
export function alphaOfStage(policy: RolloutPolicy, stages: readonly RolloutStage[]): number {
  if (policy.strategy === 'direct') return 0;
  return policy.judge.alpha / Math.max(1, stages.filter((stage) => stage.comparison !== 'none').length);
}

/**
 * The stage of a rollout by its place.
 * @throws PerdureError `state/conflict` for a place that the rollout does not have.
 */
export function stageAt({ stages }: SettledRollout, index: number): RolloutStage {
  const stage = stages[index];
  if (stage === undefined)
    throw new PerdureError('state/conflict', `the rollout has ${stages.length} stages; there is no stage ${index + 1}`);
  return stage;
}
