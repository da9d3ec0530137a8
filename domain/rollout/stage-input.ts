import { PerdureError } from '../errors.js';
import type { Observed, StageInput } from './judge/judge.js';
import type { JudgedMetric } from './judge/judge-policy.js';
import type { RolloutStage } from './judge/rollout-stage.js';
import type { SettledRollout } from './rollout-plan.js';

interface ObservedVersion {
  observed: Observed;
  /** Requests that came before the version was warm. */
  cold: number;
}

/** What was seen of a stage: the champion, and each other version by its number. */
export interface ObservedStage {
  champion: ObservedVersion | null;
  parties: Map<number, ObservedVersion>;
}

/** What the judge is asked of one version of a stage. */
export function stageInput(
  { policy, alphaOfStage }: SettledRollout,
  stage: RolloutStage,
  { champion, parties }: ObservedStage,
  version: number,
): StageInput {
  const challenger = parties.get(version);
  if (policy.strategy === 'direct' || challenger === undefined)
    throw new PerdureError('state/conflict', `a ${policy.strategy} rollout is not judged`);
  const { comparison, decides, minRequests } = stage;
  const ab = policy.strategy === 'ab' && stage.kind === 'ab';
  return {
    policy: policy.judge,
    alpha: alphaOfStage,
    stage: { comparison, decides, minRequests },
    outcome: ab ? policy.outcome : null,
    horizon: ab ? { kind: policy.horizon.kind, observations: policy.horizon.observations } : null,
    champion: champion?.observed ?? null,
    challenger: challenger.observed,
    coldRequests: challenger.cold + (comparison === 'same-minutes' ? (champion?.cold ?? 0) : 0),
  };
}

/** The metrics by which a rollout's policy judges. */
export function judgedBy({ policy }: SettledRollout): JudgedMetric[] {
  if (policy.strategy === 'direct') return [];
  return policy.strategy === 'ab' ? [...policy.judge.metrics, policy.outcome] : policy.judge.metrics;
}
