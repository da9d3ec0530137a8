import { z } from 'zod';
import { evidenceSchema } from '../../domain/promotion.js';

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
export const promotionListSchema = z.object({ promotions: z.array(promotionSummarySchema) });

export const promotionDetailSchema = promotionSummarySchema.extend({
  remindedAt: z.iso.datetime().nullable(),
  /** What a decision is bound to; null until it is gathered. */
  evidence: evidenceSchema.nullable(),
  /** What the policy asks for; null until the evidence is gathered. */
  requirement: z
    .object({
      approvalsNeeded: z.number().int(),
      approvalsCounted: z.number().int(),
      roles: z.array(z.string()),
      standing: z.enum(['waiting', 'approved', 'rejected', 'withdrawn']),
    })
    .nullable(),
  decisions: z.array(
    z.object({
      sequence: z.number().int(),
      actor: z.string(),
      decision: z.string(),
      comment: z.string(),
      via: z.string(),
      counted: z.boolean(),
      selfApproved: z.boolean(),
      reason: z.string(),
      evidenceSha256: z.string().nullable(),
      at: z.iso.datetime(),
    }),
  ),
});
export type PromotionDetail = z.infer<typeof promotionDetailSchema>;
