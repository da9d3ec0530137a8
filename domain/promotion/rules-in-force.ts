import { digestOf } from '../canonical-json.js';
import type { Contract } from '../data/contract.js';
import type { EvaluationPolicy, GateRule } from '../evaluation/evaluation-policy.js';
import { metricKey } from '../metrics/metric.js';
import type { MonitoringPolicy } from '../monitoring/monitoring-policy.js';
import type { RolloutPolicy } from '../rollout/rollout-policy.js';
import { requirementsOf } from './approval-slots.js';
import type { Evidence } from './promotion.js';
import type { PromotionPolicy } from './promotion-policy.js';
import type { SetBack } from '../rollout/champion-history.js';

/** The parts of a definition that judge a version. */
export interface Rules {
  evaluation: EvaluationPolicy;
  promotion: PromotionPolicy;
  rollout: RolloutPolicy;
}

/** What a definition holds beside them, as far as they touch it. */
interface Judged extends Rules {
  contract: Contract;
  monitoring: MonitoringPolicy;
}

/**
 * The identity of what judges a model: evidence carries it, and holds only while it is that of the applied definition.
 */
export const rulesDigest = ({ evaluation, promotion, rollout }: Rules): string =>
  digestOf({ evaluation, promotion, rollout });

/**
 * A version's definition under the rules in force: what it was trained on, and what it promises to callers, stays its
 * own; gates, promotion, rollout and monitoring are those of the applied definition. A slice by a feature that it does
 * not have cannot be measured, and a gate on it has no data.
 */
export function underRulesInForce<Definition extends Judged>(own: Definition, applied: Judged): Definition {
  const { evaluation, promotion, rollout, monitoring } = applied;
  const slices = evaluation.slices.filter((feature) => Object.hasOwn(own.contract.features, feature));
  return { ...own, promotion, rollout, monitoring, evaluation: { ...evaluation, slices } };
}

/** Whether two policies measure alike, so that an evaluation by one may be asked the gates of the other. */
export function measuresAlike(one: EvaluationPolicy, other: EvaluationPolicy): boolean {
  const measured = ({ threshold, slices, bootstrapRounds, confidencePct, costs, metrics, gates }: EvaluationPolicy) =>
    digestOf({
      ...{ threshold, bootstrapRounds, confidencePct, costs: costs ?? null, metrics: metrics ?? null },
      slices: [...slices].sort(),
      asked: [...new Set(gates.flatMap((gate) => (isQualified(gate) ? [metricKey(gate)] : [])))].sort(),
    });
  return measured(one) === measured(other);
}

/** Measured because a gate asks for it, not in any case. */
const isQualified = ({ k, class: one }: GateRule): boolean => k !== undefined || one !== undefined;

/** Why evidence was gathered under other rules than those in force; null where it was not. */
export function whyOtherRules({ policy, rollout, rulesSha256, setBack }: Evidence, rules: Rules): string | null {
  if (rulesSha256 === undefined)
    return 'an earlier release gathered it, under the rules that the version was trained with';
  for (const [place, shown, now] of [
    ['promotion', policy, policyAfter(rules.promotion, setBack ?? null)],
    ['rollout', rollout ?? null, rules.rollout],
  ] as const)
    if (digestOf(shown) !== digestOf(now)) return `${place} of the applied definition is not what the evidence shows`;
  return rulesSha256 === rulesDigest(rules)
    ? null
    : 'evaluation of the applied definition was changed since the evidence was shown';
}

/** What a version must be let in by: the policy, and never by itself once it was taken back for harm. */
export function policyAfter(policy: PromotionPolicy, setBack: SetBack | null): PromotionPolicy {
  if (setBack === null) return policy;
  const count = requirementsOf(policy, false).length === 0 ? 1 : policy.approvals.count;
  return { ...policy, firstVersion: 'approval', approvals: { ...policy.approvals, count } };
}

/** Why evidence says something else of the version's past than is true now; null where it does not. */
export function whyOtherSetBack({ version, setBack: shown }: Evidence, now: SetBack | null): string | null {
  if (shown?.epoch === now?.epoch) return null;
  return now === null
    ? `version ${version} has been brought in by another rollout since`
    : `version ${version} was taken back at ${now.at} since (${now.reason})`;
}
