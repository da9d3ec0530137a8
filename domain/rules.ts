import { digestOf } from './canonical-json.js';
import type { ModelDefinition } from './model-definition.js';
import type { Evidence } from './promotion.js';

/** The parts of a definition that judge a version. */
export type Rules = Pick<ModelDefinition, 'evaluation' | 'promotion' | 'rollout'>;

/** The identity of what judges a model: evidence carries it, and holds only while it is that of the applied definition. */
export const rulesDigest = ({ evaluation, promotion, rollout }: Rules): string => digestOf({ evaluation, promotion, rollout });

/**
 * A version's definition under the rules in force: what it was trained on, and what it promises to callers, stays its own; gates, promotion, rollout and
 * monitoring are those of the applied definition. A slice by a feature that it does not have cannot be measured, and a gate on it has no data.
 */
export function underRulesInForce(own: ModelDefinition, applied: ModelDefinition): ModelDefinition {
  const { evaluation, promotion, rollout, monitoring } = applied;
  const slices = evaluation.slices.filter((feature) => Object.hasOwn(own.contract.features, feature));
  return { ...own, promotion, rollout, monitoring, evaluation: { ...evaluation, slices } };
}

/** Whether two policies measure alike, so that an evaluation by one may be asked the gates of the other. */
export function measuresAlike(one: ModelDefinition['evaluation'], other: ModelDefinition['evaluation']): boolean {
  const measured = ({ threshold, slices, bootstrapRounds, confidencePct }: ModelDefinition['evaluation']) =>
    digestOf({ threshold, slices: [...slices].sort(), bootstrapRounds, confidencePct });
  return measured(one) === measured(other);
}

/** Why evidence was gathered under other rules than those in force; null where it was not. */
export function whyOtherRules({ policy, rollout, rulesSha256 }: Evidence, rules: Rules): string | null {
  if (rulesSha256 === undefined) return 'it was gathered by an earlier release, under the rules that the version was trained with';
  for (const [place, shown, now] of [
    ['promotion', policy, rules.promotion],
    ['rollout', rollout ?? null, rules.rollout],
  ] as const)
    if (digestOf(shown) !== digestOf(now)) return `${place} of the applied definition is not what the evidence shows`;
  return rulesSha256 === rulesDigest(rules) ? null : 'evaluation of the applied definition was changed since the evidence was shown';
}
