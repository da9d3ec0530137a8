import { z } from 'zod';
import { metricsSchema } from './evaluation.js';
import { actorSchema, environmentSchema, modelNameSchema, sha256Schema, versionNumberSchema } from './names.js';
import { promotionPolicySchema, type PromotionPolicy } from './promotion-policy.js';

export type PromotionState =
  | 'gathering-evidence'
  | 'waiting-for-approval'
  | 'rolling-out'
  | 'promoted'
  | 'rejected'
  | 'expired'
  | 'withdrawn'
  | 'superseded'
  | 'rolled-back'
  | 'failed';

/** What a person sees before deciding. Its SHA-256 is what a decision is bound to. */
export const evidenceSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  environment: environmentSchema,
  champion: versionNumberSchema.nullable(),
  artifactSha256: sha256Schema,
  snapshotSha256: sha256Schema,
  definitionSha256: sha256Schema,
  /** Candidate and champion on the candidate's holdout, slices included. */
  evaluationKey: z.string(),
  evaluationSha256: sha256Schema,
  metrics: metricsSchema,
  championMetrics: metricsSchema.nullable(),
  gates: z.array(z.strictObject({ name: z.string(), outcome: z.string() })),
  policy: promotionPolicySchema,
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** A decision as it comes in by Signal; an Update carries `decision` beside it. */
export const signalDecisionSchema = z.strictObject({
  actor: actorSchema,
  comment: z.string().max(4000).default(''),
  evidenceSha256: sha256Schema.optional(),
  signature: z.string().max(4000).optional(),
});
export type SignalDecision = z.infer<typeof signalDecisionSchema>;

export const decisionSchema = signalDecisionSchema.extend({ decision: z.enum(['approve', 'reject', 'withdraw']) });
export type Decision = z.infer<typeof decisionSchema>;

export interface CountedDecision {
  actor: string;
  decision: Decision['decision'];
  counted: boolean;
}

export interface DecisionRuling {
  counted: boolean;
  selfApproved: boolean;
  reason: string;
}

export interface DecisionSituation {
  policy: PromotionPolicy;
  requestedBy: string;
  /** Roles of the decision's actor. */
  roles: readonly string[];
  /** Whether one person may approve what they asked for. */
  allowRequester: boolean;
  shownEvidenceSha256: string;
  via: 'update' | 'signal';
  earlier: readonly CountedDecision[];
}

const refuse = (reason: string): DecisionRuling => ({ counted: false, selfApproved: false, reason });

/** Whether a decision counts, and why. Pure: who has which role is looked up before. */
export function ruleOnDecision(decision: Decision, situation: DecisionSituation): DecisionRuling {
  const { policy, requestedBy, roles, earlier } = situation;
  if (situation.via === 'signal' && policy.unsignedSignals === 'record') {
    return refuse(
      'signals carry no signature and promotion.unsignedSignals is "record": decide with `perdure approve`, or by the Update decidePromotion',
    );
  }
  if (decision.evidenceSha256 !== undefined && decision.evidenceSha256 !== situation.shownEvidenceSha256) {
    return refuse(`it names other evidence than the one shown (${situation.shownEvidenceSha256}): read the new evidence and decide again`);
  }
  if (decision.actor.startsWith('system:')) return refuse('system actors never decide');
  const isRequester = decision.actor === requestedBy;
  if (decision.decision === 'withdraw') {
    return isRequester || roles.includes('owner')
      ? { counted: true, selfApproved: false, reason: 'withdrawn' }
      : refuse(`only the requester (${requestedBy}) or an owner may withdraw`);
  }
  if (!policy.approvals.roles.some((role) => roles.includes(role))) {
    return refuse(`${decision.actor} has none of the roles ${policy.approvals.roles.join(', ')}: see the access file`);
  }
  if (decision.decision === 'reject') return { counted: true, selfApproved: false, reason: 'rejected' };
  if (isRequester && !situation.allowRequester) return refuse('who asked for a promotion cannot approve it');
  if (promotionStanding(policy, earlier) === 'approved') return refuse('it has the approvals that it needs already');
  if (earlier.some((one) => one.counted && one.decision === 'approve' && one.actor === decision.actor)) {
    return refuse(`${decision.actor} has approved already: another person must`);
  }
  return { counted: true, selfApproved: isRequester, reason: isRequester ? 'approved by the requester' : 'approved' };
}

/** Where a promotion stands after the decisions so far: as many different people as the policy asks for must approve. The first counted rejection or withdrawal ends it. */
export function promotionStanding(
  policy: PromotionPolicy,
  decisions: readonly CountedDecision[],
): 'waiting' | 'approved' | 'rejected' | 'withdrawn' {
  const counted = decisions.filter((one) => one.counted);
  const end = counted.find((one) => one.decision !== 'approve');
  if (end) return end.decision === 'reject' ? 'rejected' : 'withdrawn';
  return new Set(counted.map((one) => one.actor)).size >= policy.approvals.count ? 'approved' : 'waiting';
}

/** Whether a version goes in without a person. */
export function needsNoApproval(policy: PromotionPolicy, champion: number | null): boolean {
  return policy.approvals.count === 0 || (champion === null && policy.firstVersion === 'automatic');
}
