import { fillSlots, requirementsOf, requirementText } from './approval-slots.js';
import { proofText, whyNotTrusted, type DecisionProof, type DecisionTrust } from '../decision-trust.js';
import type { PromotionPolicy } from './promotion-policy.js';
import { approversOf, approvalState, filledSlots } from './approval-state.js';
import type { CountedDecision, Decision } from './promotion.js';

export interface DecisionRuling {
  counted: boolean;
  selfApproved: boolean;
  reason: string;
}

export interface DecisionSituation {
  policy: PromotionPolicy;
  requestedBy: string;
  /** Who caused the run that trained the version; undefined where that is not known. */
  trainedBy: string | undefined;
  /** Roles of the decision's actor. */
  roles: readonly string[];
  /** Whether one person may approve what they asked for or trained. */
  allowRequester: boolean;
  shownEvidenceSha256: string;
  via: 'update' | 'signal';
  earlier: readonly CountedDecision[];
  /** Whether nobody decided for so long that the escalation roles may approve too. */
  escalated: boolean;
  trust: DecisionTrust;
  proof: DecisionProof;
}

const refuse = (reason: string): DecisionRuling => ({ counted: false, selfApproved: false, reason });

/** Whether a decision counts, and why. Pure: who has which role and whether a signature holds is looked up before. */
export function ruleOnDecision(decision: Decision, situation: DecisionSituation): DecisionRuling {
  const { policy, requestedBy, roles, proof } = situation;
  const distrusted = whyNotTrusted(situation.trust, proof);
  if (distrusted !== null) return refuse(distrusted);
  if (situation.via === 'signal' && policy.unsignedSignals === 'record' && proof.kind !== 'signed') {
    return refuse(
      'signals carry no signature and promotion.unsignedSignals is "record": decide with `perdure approve`, ' +
        'or by the Update decidePromotion',
    );
  }
  if (decision.evidenceSha256 !== undefined && decision.evidenceSha256 !== situation.shownEvidenceSha256) {
    return refuse(
      `it names other evidence than what is shown (${situation.shownEvidenceSha256}): read the ` +
        'new evidence and decide again',
    );
  }
  if (decision.actor.startsWith('system:')) return refuse('system actors never decide');
  if (decision.decision === 'withdraw') {
    return decision.actor === requestedBy || roles.includes('owner')
      ? count('withdrawn', proof)
      : refuse(`only the requester (${requestedBy}) or an owner may withdraw`);
  }
  const requirements = requirementsOf(policy, situation.escalated);
  const asked = [...new Set(requirements.flatMap((one) => one.roles))];
  if (!asked.some((role) => roles.includes(role))) {
    return refuse(`${decision.actor} has none of the roles ${asked.join(', ')}: see the access file`);
  }
  return decision.decision === 'reject' ? count('rejected', proof) : ruleOnApproval(decision.actor, situation);
}

function ruleOnApproval(
  actor: string,
  { policy, requestedBy, trainedBy, roles, allowRequester, earlier, escalated, proof }: DecisionSituation,
) {
  const [isRequester, isTrainer] = [actor === requestedBy, actor === trainedBy];
  if (isRequester && !allowRequester) return refuse('the requester of a promotion cannot approve it');
  if (isTrainer && !allowRequester) return refuse('whoever had the version trained cannot approve it');
  if (approvalState(policy, earlier, escalated) === 'approved') return refuse('it already has the approvals it needs');
  const approvers = approversOf(earlier);
  if (approvers.some((one) => one.actor === actor)) return refuse(`${actor} has already approved: another person must`);
  const { missing } = filledSlots(policy, earlier, escalated);
  const after = fillSlots(requirementsOf(policy, escalated), [...approvers, { actor, roles }]);
  if (slots(after.missing) === slots(missing)) {
    return refuse(`no approval is still needed from the roles of ${actor}; still needed: ${requirementText(missing)}`);
  }
  const word = isRequester
    ? 'approved by the requester'
    : isTrainer
      ? 'approved by whoever had it trained'
      : 'approved';
  return { ...count(word, proof), selfApproved: isRequester || isTrainer };
}

const slots = (requirements: readonly { count: number }[]) =>
  requirements.reduce((sum, { count: one }) => sum + one, 0);

const count = (word: string, proof: DecisionProof): DecisionRuling => ({
  counted: true,
  selfApproved: false,
  reason: `${word} (${proofText(proof)})`,
});
