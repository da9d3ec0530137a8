import { z } from 'zod';
import { evaluationSchema } from '../../domain/evaluation/evaluation.js';
import { actorSchema, sha256Schema } from '../../domain/names.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { decisionSchema, evidenceSchema } from '../../domain/promotion/promotion.js';
import { listSchema } from './page.js';

/** What a person says about a promotion; the API signs it. */
export const decisionRequestSchema = z.strictObject({
  decision: decisionSchema.shape.decision,
  actor: actorSchema,
  comment: plainTextSchema.trim().min(1).max(4000),
  /** The evidence that the person has read; by default what is shown now. Required where decisions must be signed. */
  evidenceSha256: sha256Schema.optional(),
});
export type DecisionRequest = z.infer<typeof decisionRequestSchema>;

export const decisionReplySchema = z.object({
  counted: z.boolean(),
  reason: z.string(),
  evidenceSha256: z.string().nullable(),
  /** The key that signed it; null when it went out unsigned. */
  keyId: z.string().nullable(),
  queuedBehind: z.number().int().nullable(),
});
export type DecisionReply = z.infer<typeof decisionReplySchema>;

const requirementSchema = z.object({ count: z.number().int(), roles: z.array(z.string()) });

export const promotionSummarySchema = z.object({
  id: z.string(),
  workflowId: z.string(),
  model: z.string(),
  version: z.number().int(),
  environment: z.string(),
  requestedBy: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  evidenceSha256: z.string().nullable(),
  requestedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  closedAt: z.iso.datetime().nullable(),
});
export type PromotionSummary = z.infer<typeof promotionSummarySchema>;
export const promotionListSchema = listSchema('promotions', promotionSummarySchema);

export const promotionDetailSchema = promotionSummarySchema.extend({
  remindedAt: z.iso.datetime().nullable(),
  /** When others were asked too, because nobody decided; null until then. */
  escalatedAt: z.iso.datetime().nullable(),
  /** What a decision is bound to; null until it is gathered. */
  evidence: evidenceSchema.nullable(),
  /**
   * The report that the evidence names: intervals, differences, slices; null until there is one, or when the object
   * store does not answer with it.
   */
  evaluation: evaluationSchema.nullable(),
  /** What the policy asks for; null until the evidence is gathered. */
  requirement: z
    .object({
      approvalsNeeded: z.number().int(),
      approvalsCounted: z.number().int(),
      roles: z.array(z.string()),
      /** Every requirement of the policy, and who fills it. */
      places: z.array(requirementSchema.extend({ filledBy: z.array(z.string()) })),
      /** Whose approvals are still needed. */
      stillNeeded: z.array(requirementSchema),
      /** Who cannot approve: the requester and who had the version trained. The access file may allow them. */
      excluded: z.array(z.string()),
      /** Who may approve too once nobody has decided for so long, and when; null where the policy does not escalate. */
      escalation: z.object({ to: z.array(z.string()), at: z.iso.datetime() }).nullable(),
      standing: z.enum(['waiting', 'approved', 'rejected', 'withdrawn']),
    })
    .nullable(),
  /**
   * The version of another rollout that is under way in the same place: once approved, this promotion waits for its
   * end.
   */
  queuedBehind: z.number().int().nullable(),
  decisions: z.array(
    z.object({
      sequence: z.number().int(),
      actor: z.string(),
      decision: z.string(),
      comment: z.string(),
      via: z.string(),
      counted: z.boolean(),
      selfApproved: z.boolean(),
      /** The actor's roles at that moment; null for the policy's own word. */
      roles: z.array(z.string()).nullable(),
      /** The key that signed it; null when it came without a signature. */
      keyId: z.string().nullable(),
      reason: z.string(),
      evidenceSha256: z.string().nullable(),
      at: z.iso.datetime(),
    }),
  ),
});
export type PromotionDetail = z.infer<typeof promotionDetailSchema>;
