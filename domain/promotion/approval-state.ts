import { fillSlots, requirementsOf, type ApprovalSlots, type Approver } from './approval-slots.js';
import type { PromotionPolicy } from './promotion-policy.js';
import type { CountedDecision } from './promotion.js';

/**
 * Where a promotion stands after the decisions so far: every slot of the policy must be filled. The first counted
 * rejection or withdrawal ends it.
 */
export function approvalState(
  policy: PromotionPolicy,
  decisions: readonly CountedDecision[],
  escalated = false,
): 'waiting' | 'approved' | 'rejected' | 'withdrawn' {
  const end = decisions.find((one) => one.counted && one.decision !== 'approve');
  if (end) return end.decision === 'reject' ? 'rejected' : 'withdrawn';
  return filledSlots(policy, decisions, escalated).missing.length === 0 ? 'approved' : 'waiting';
}

/** Which slots are filled, by whom, and what is still needed. */
export function filledSlots(
  policy: PromotionPolicy,
  decisions: readonly CountedDecision[],
  escalated = false,
): ApprovalSlots {
  return fillSlots(requirementsOf(policy, escalated), approversOf(decisions));
}

export function approversOf(decisions: readonly CountedDecision[]): Approver[] {
  return decisions
    .filter((one) => one.counted && one.decision === 'approve')
    .map(({ actor, roles }) => ({ actor, roles }));
}

/** Whether a version goes in without a person. */
export function needsNoApproval(policy: PromotionPolicy, champion: number | null): boolean {
  return requirementsOf(policy, false).length === 0 || (champion === null && policy.firstVersion === 'automatic');
}
