import { rolesOf } from '../../domain/promotion/access.js';
import { ruleOnDecision, type DecisionRuling } from '../../domain/promotion/decision-ruling.js';
import { decisionSchema, type CountedDecision, type Decision } from '../../domain/promotion/promotion.js';
import { describeIssues } from '../../domain/schema-issue.js';
import { promotionById, recordDecision } from '../../db/promotion/promotion-queries.js';
import { decisionTrust, isBroken } from './decision-trust.js';
import type { ActivityDependencies } from '../dependencies.js';

export interface RuledDecision {
  actor: string;
  decision: Decision['decision'];
  counted: boolean;
  reason: string;
  roles?: string[];
}

interface DecisionToRule {
  promotionId: string;
  /** The workflow's count of decisions: a repeated activity finds what was ruled the first time. */
  sequence: number;
  decision: Decision;
  via: 'update' | 'signal';
  earlier: CountedDecision[];
  shownEvidenceSha256: string | null;
  /** Whether the escalation roles may approve by now. Absent in questions of version 0.1.0. */
  escalated?: boolean;
  /** Why nothing counts any more; null while the promotion is open. */
  closedBecause: string | null;
}

/** Decisions of people and of the policy: ruled on, and recorded whether they count or not. */
export function createDecisionActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    /** Decides whether a decision counts, and records it either way. */
    async ruleOnDecision(asked: DecisionToRule): Promise<RuledDecision> {
      const { promotionId, sequence, via } = asked;
      const parsed = decisionSchema.safeParse(asked.decision);
      const said = parsed.success
        ? parsed.data
        : {
            actor: 'unreadable',
            decision: asked.decision.decision,
            comment: JSON.stringify(asked.decision).slice(0, 1000),
          };
      const at = new Date();
      const { roles, ...ruling } = parsed.success
        ? await rule({ db, config }, asked, parsed.data, at).catch(refuseWhatIsBroken)
        : { ...no(`it is not a decision: ${describeIssues(parsed.error.issues)}`), roles: [] };
      const row = await recordDecision(db, {
        promotionId,
        sequence,
        via,
        actor: said.actor,
        decision: said.decision,
        comment: said.comment,
        evidenceSha256: asked.shownEvidenceSha256 ?? undefined,
        signature: parsed.data?.signature,
        at: at.toISOString(),
        roles,
        ...ruling,
      });
      return {
        actor: row.actor,
        decision: row.decision,
        counted: row.counted,
        reason: row.reason,
        roles: row.roles ?? [],
      };
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
        roles: null,
        counted: true,
        selfApproved: false,
        reason,
        at: new Date().toISOString(),
      });
    },
  };
}

export type DecisionActivities = ReturnType<typeof createDecisionActivities>;

async function rule(
  { db, config }: Pick<ActivityDependencies, 'db' | 'config'>,
  asked: DecisionToRule,
  decision: Decision,
  at: Date,
): Promise<DecisionRuling & { roles: string[] }> {
  if (asked.closedBecause !== null) return { ...no(asked.closedBecause), roles: [] };
  const { promotionId, shownEvidenceSha256, via, earlier, escalated = false } = asked;
  const { evidence, requestedBy } = await promotionById(db, promotionId);
  if (!evidence || shownEvidenceSha256 === null) return { ...no('no evidence has been shown yet'), roles: [] };
  const { trust, access: readAccess, proof } = decisionTrust(config);
  const access = await readAccess();
  const roles = rolesOf(access, decision.actor);
  const signed = await proof({
    ...decision,
    signature: decision.signature,
    promotionId,
    evidenceSha256: shownEvidenceSha256,
    nowMs: at.getTime(),
  });
  const situation = {
    policy: evidence.policy,
    requestedBy,
    trainedBy: evidence.trainedBy,
    roles,
    allowRequester: access.allowRequester,
  };
  return {
    ...ruleOnDecision(decision, { ...situation, shownEvidenceSha256, via, earlier, escalated, trust, proof: signed }),
    roles,
  };
}
const no = (reason: string): DecisionRuling => ({ counted: false, selfApproved: false, reason });

/** A file that cannot be read refuses the decision, and does not end the promotion. */
function refuseWhatIsBroken(error: unknown): DecisionRuling & { roles: string[] } {
  if (!isBroken(error)) throw error;
  return { ...no(`the decision cannot be processed now, decide again later: ${error.message}`), roles: [] };
}
