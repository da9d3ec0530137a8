import { z } from 'zod';
import { listPromotions } from '../../db/promotion-lists.js';
import { decisionsOf, promotionById, type DecisionRecord, type PromotionRecord } from '../../db/promotion-queries.js';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { needsNoApproval, promotionStanding, type Evidence } from '../../domain/promotion.js';
import { promotionDetailSchema, promotionListSchema, type PromotionSummary } from '../../client/http/promotions.js';
import { flagSchema, limitSchema, type RouteGroup } from '../route-group.js';

const listQuery = z.object({
  model: modelNameSchema.optional(),
  version: z.coerce.number().int().min(1).optional(),
  environment: environmentSchema.optional(),
  workflowId: z.string().max(300).optional(),
  open: flagSchema,
  limit: limitSchema,
});
const ofPromotion = z.object({ id: z.string().min(1).max(200) });

/** Decisions to take versions into environments: what is asked for, on which evidence, and who said what. */
export const promotionRoutes: RouteGroup = (app, { db }) => {
  app.get(
    '/promotions',
    { schema: { tags: ['promotions'], querystring: listQuery, response: { 200: promotionListSchema } } },
    async ({ query }) => {
      const rows = await listPromotions(db, query);
      return { promotions: rows.map(summary) };
    },
  );

  app.get(
    '/promotions/:id',
    { schema: { tags: ['promotions'], params: ofPromotion, response: { 200: promotionDetailSchema } } },
    async ({ params }) => {
      const [row, decisions] = await Promise.all([promotionById(db, params.id), decisionsOf(db, params.id)]);
      return {
        ...summary(row),
        remindedAt: row.remindedAt?.toISOString() ?? null,
        evidence: row.evidence,
        requirement: row.evidence && requirementOf(row.evidence, decisions),
        decisions: decisions.map(({ sequence, actor, decision, comment, via, counted, selfApproved, reason, evidenceSha256, at }) => ({
          ...{ sequence, actor, decision, comment, via, counted, selfApproved, reason, evidenceSha256 },
          at: at.toISOString(),
        })),
      };
    },
  );
};

function requirementOf({ policy, champion }: Evidence, decisions: readonly DecisionRecord[]) {
  return {
    approvalsNeeded: needsNoApproval(policy, champion) ? 0 : policy.approvals.count,
    approvalsCounted: decisions.filter((one) => one.counted && one.decision === 'approve' && one.via !== 'policy').length,
    roles: policy.approvals.roles,
    standing: needsNoApproval(policy, champion) ? ('approved' as const) : promotionStanding(policy, decisions),
  };
}

function summary(row: PromotionRecord): PromotionSummary {
  const { id, workflowId, model, version, environment, requestedBy, state, reason, evidenceSha256 } = row;
  return {
    ...{ id, workflowId, model, version, environment, requestedBy, state, reason, evidenceSha256 },
    requestedAt: row.requestedAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}
