import { readAccessFile } from '../../adapters/access-file.js';
import { decisionVerifier } from '../../adapters/decision-keys.js';
import { rolesOf } from '../../domain/promotion/access.js';
import { PerdureError } from '../../domain/errors.js';
import type { DecisionProof } from '../../domain/decision-trust.js';
import { whyNotTrusted } from '../../domain/decision-trust.js';
import { proofOf, type SignatureQuestion } from '../../domain/promotion/decision-signature.js';
import { needsNoApproval, approvalState } from '../../domain/promotion/approval-state.js';
import type { DecisionRecord, PromotionRecord } from '../../db/promotion/promotion-queries.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * Who may decide, and whose signature holds. Access file and keys are read at each decision, so that an edit counts at
 * once.
 */
export function decisionTrust({ accessFile, decisions: { trust, verifyingKeysFile } }: ActivityDependencies['config']) {
  return { trust, access: () => readAccessFile(accessFile), proof, whyNotLetIn };

  async function proof(question: Omit<SignatureQuestion, 'verify'>): Promise<DecisionProof> {
    // Without keys nothing can be checked: under frontend trust a signature then is as good as none.
    if (question.signature === undefined || verifyingKeysFile === undefined) return { kind: 'unsigned' };
    return proofOf({ ...question, verify: await decisionVerifier(verifyingKeysFile) });
  }

  /**
   * As `whyDecisionsDoNotHold`. While the access file or the keys cannot be read it is asked again: nobody's approval
   * is lost by that.
   */
  function whyNotLetIn(promotion: PromotionRecord, rows: readonly DecisionRecord[]): Promise<string | null> {
    return whyDecisionsDoNotHold(promotion, rows).catch((error: unknown) => {
      throw isBroken(error) ? new Error(error.message, { cause: error }) : error;
    });
  }

  /**
   * Why the recorded decisions do not let the version in; null when they do. Signatures, roles and exclusions are
   * looked at again: a row that was written past the API, or by somebody who has lost the role since, opens nothing.
   */
  async function whyDecisionsDoNotHold(
    promotion: PromotionRecord,
    rows: readonly DecisionRecord[],
  ): Promise<string | null> {
    const { evidence, evidenceSha256, requestedBy, escalatedAt, id: promotionId } = promotion;
    if (!evidence || evidenceSha256 === null) return 'no evidence was shown';
    if (needsNoApproval(evidence.policy, evidence.champion)) return null;
    const access = await readAccessFile(accessFile);
    const excluded = access.allowRequester ? [] : [requestedBy, evidence.trainedBy];
    const holding = [];
    const doubts: string[] = [];
    for (const row of rows) {
      if (!row.counted || row.via === 'policy' || row.evidenceSha256 !== evidenceSha256) continue;
      const { actor, decision, comment } = row;
      const words = { actor, decision, comment, promotionId, evidenceSha256 };
      const doubt = whyNotTrusted(
        trust,
        await proof({ ...words, signature: row.signature ?? undefined, nowMs: row.at.getTime() }),
      );
      if (doubt !== null) doubts.push(`${actor}: ${doubt}`);
      else if (decision === 'approve' && excluded.includes(actor))
        doubts.push(`${actor} requested it or had it trained`);
      else holding.push({ actor, decision, counted: true, roles: rolesOf(access, actor) });
    }
    if (approvalState(evidence.policy, holding, escalatedAt !== null) === 'approved') return null;
    return ['the recorded decisions do not satisfy the policy', ...doubts].join('; ');
  }
}

export const isBroken = (error: unknown): error is PerdureError =>
  error instanceof PerdureError && error.code === 'environment/broken';
