import type { EvidenceActivities } from '../../../activities/promotion/evidence.js';
import type { DecisionActivities } from '../../../activities/promotion/decisions.js';
import type { PromotionActivities } from '../../../activities/promotion/promotions.js';
import type { SupersedingActivities } from '../../../activities/promotion/supersede-older.js';
import { ruleOnDecision } from '../../../domain/promotion/decision-ruling.js';
import { decisionSchema } from '../../../domain/promotion/promotion.js';
import type { WorldFacts } from './world-facts.js';

/** A promotion: its evidence, the decisions of people, ruled on as in the product, and its states. */
export function fakePromotions(
  world: WorldFacts,
): EvidenceActivities & DecisionActivities & PromotionActivities & SupersedingActivities {
  return {
    gatherEvidence: async () => {
      world.gathered += 1;
      return {
        evidenceSha256: String(world.evidence).repeat(64).slice(0, 64),
        champion: world.champion,
        summary: 'better',
        conflict: world.conflict,
        ...(world.notBefore !== undefined && { notBefore: world.notBefore }),
      };
    },
    supersedeOlder: async () => ({ versions: world.olderWaiting }),
    supersededBy: async () => ({ version: world.newerCandidate }),
    openPromotion: async ({ workflowId, environment, requestedBy }) =>
      void world.promotions.push({ workflowId, environment, requestedBy }),
    setPromotionState: async ({ state }) => void world.promotionStates.push(state),
    remind: async () => void (world.reminders += 1),
    escalate: async () => void (world.escalations += 1),
    recordPolicyApproval: async ({ reason }) => void world.policyApprovals.push(reason),
    ruleOnDecision: async ({ decision, via, earlier, shownEvidenceSha256, closedBecause, escalated = false }) => {
      const parsed = decisionSchema.parse(decision);
      const roles = world.roles[parsed.actor] ?? [];
      const ruling =
        closedBecause !== null || shownEvidenceSha256 === null
          ? { counted: false, selfApproved: false, reason: closedBecause ?? 'no evidence' }
          : ruleOnDecision(parsed, {
              policy: world.promotionPolicy,
              requestedBy: world.promotions.at(-1)?.requestedBy ?? 'unknown',
              trainedBy: world.trainedBy,
              roles,
              allowRequester: world.allowRequester,
              shownEvidenceSha256,
              via,
              earlier,
              escalated,
              trust: world.trust,
              proof: world.proofs[parsed.signature ?? ''] ?? { kind: 'unsigned' },
            });
      const ruled = {
        actor: parsed.actor,
        decision: parsed.decision,
        counted: ruling.counted,
        reason: ruling.reason,
        roles,
      };
      world.rulings.push({ ...ruled, via, selfApproved: ruling.selfApproved, evidenceSha256: shownEvidenceSha256 });
      return ruled;
    },
    verifyPromotion: async () =>
      (world.checks.length > 1 ? world.checks.shift() : world.checks[0]) ?? { holds: false, reason: 'nothing known' },
  };
}
