import { readAccessFile } from '../adapters/access-file.js';
import { rolesOf } from '../domain/access.js';
import type { Environment } from '../domain/names.js';
import {
  decisionSchema,
  needsNoApproval,
  promotionStanding,
  ruleOnDecision,
  type CountedDecision,
  type Decision,
  type DecisionRuling,
  type PromotionState,
} from '../domain/promotion.js';
import { championOf } from '../domain/route.js';
import { describeIssues } from '../domain/schema-issue.js';
import { decisionsOf, openPromotion, promotionById, recordDecision, recordReminder, setPromotionState } from '../db/promotion-queries.js';
import { routeOf } from '../db/route-queries.js';
import type { ActivityDependencies } from './dependencies.js';

export interface RuledDecision {
  actor: string;
  decision: Decision['decision'];
  counted: boolean;
  reason: string;
}

interface DecisionToRule {
  promotionId: string;
  /** The workflow's count of decisions: a repeated activity finds what was ruled the first time. */
  sequence: number;
  decision: Decision;
  via: 'update' | 'signal';
  earlier: CountedDecision[];
  shownEvidenceSha256: string | null;
  /** Why nothing counts any more; null while the promotion is open. */
  closedBecause: string | null;
}

/** Promotions: evidence shown, decisions ruled on and recorded, states. */
export function createPromotionActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    openPromotion: (promotion: {
      id: string;
      workflowId: string;
      model: string;
      version: number;
      environment: Environment;
      requestedBy: string;
    }) => openPromotion(db, promotion),

    setPromotionState: ({ promotionId, state, reason }: { promotionId: string; state: PromotionState; reason: string | null }) =>
      setPromotionState(db, promotionId, state, reason),

    remind: ({ promotionId }: { promotionId: string }) => recordReminder(db, promotionId),

    /** Decides whether a decision counts, and records it either way. */
    async ruleOnDecision(asked: DecisionToRule): Promise<RuledDecision> {
      const { promotionId, sequence, via } = asked;
      const parsed = decisionSchema.safeParse(asked.decision);
      const said = parsed.success
        ? parsed.data
        : { actor: 'unreadable', decision: asked.decision.decision, comment: JSON.stringify(asked.decision).slice(0, 1000) };
      const ruling = parsed.success ? await rule(asked, parsed.data) : no(`it is not a decision: ${describeIssues(parsed.error.issues)}`);
      const row = await recordDecision(db, {
        promotionId,
        sequence,
        via,
        actor: said.actor,
        decision: said.decision,
        comment: said.comment,
        evidenceSha256: asked.shownEvidenceSha256 ?? undefined,
        at: new Date().toISOString(),
        ...ruling,
      });
      return { actor: row.actor, decision: row.decision, counted: row.counted, reason: row.reason };
    },

    /** The policy itself approves; recorded like a decision. */
    async recordPolicyApproval({
      promotionId,
      sequence,
      evidenceSha256,
      reason,
    }: {
      promotionId: string;
      sequence: number;
      evidenceSha256: string | null;
      reason: string;
    }): Promise<void> {
      await recordDecision(db, {
        promotionId,
        sequence,
        via: 'policy',
        actor: 'system:policy',
        decision: 'approve',
        comment: '',
        evidenceSha256: evidenceSha256 ?? undefined,
        counted: true,
        selfApproved: false,
        reason,
        at: new Date().toISOString(),
      });
    },

    /** Asked again just before the effect: the evidence shown is still true, and the recorded decisions on it satisfy the policy. */
    async verifyPromotion({ promotionId }: { promotionId: string }): Promise<{ holds: boolean; reason: string }> {
      const promotion = await promotionById(db, promotionId);
      const { evidence } = promotion;
      if (!evidence) return { holds: false, reason: 'no evidence was shown' };
      const route = await routeOf(db, promotion.environment, promotion.model);
      const champion = route ? championOf(route.split) : null;
      if (champion !== evidence.champion)
        return {
          holds: false,
          reason: `the champion is now ${champion ?? 'none'}, it was ${evidence.champion ?? 'none'} when the evidence was shown`,
        };
      const decisions = (await decisionsOf(db, promotionId)).filter((one) => one.evidenceSha256 === promotion.evidenceSha256);
      const approved = needsNoApproval(evidence.policy, champion) || promotionStanding(evidence.policy, decisions) === 'approved';
      return approved ? { holds: true, reason: '' } : { holds: false, reason: 'the recorded decisions do not satisfy the policy' };
    },
  };

  async function rule(asked: DecisionToRule, decision: Decision): Promise<DecisionRuling> {
    if (asked.closedBecause !== null) return no(asked.closedBecause);
    const { evidence, requestedBy } = await promotionById(db, asked.promotionId);
    if (!evidence || asked.shownEvidenceSha256 === null) return no('no evidence has been shown yet');
    const access = await readAccessFile(config.accessFile);
    return ruleOnDecision(decision, {
      policy: evidence.policy,
      requestedBy,
      roles: rolesOf(access, decision.actor),
      allowRequester: access.allowRequester,
      shownEvidenceSha256: asked.shownEvidenceSha256,
      via: asked.via,
      earlier: asked.earlier,
    });
  }
}

export type PromotionActivities = ReturnType<typeof createPromotionActivities>;

const no = (reason: string): DecisionRuling => ({ counted: false, selfApproved: false, reason });
