import { z } from 'zod';
import type { Database } from '../../db/connect.js';
import { runningRollout } from '../../db/rollout/rollout-queries.js';
import { listPromotions, type PromotionListRow } from '../../db/promotion/promotion-lists.js';
import {
  decisionsOf,
  promotionById,
  type DecisionRecord,
  type PromotionRecord,
} from '../../db/promotion/promotion-queries.js';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { requirementsOf } from '../../domain/promotion/approval-slots.js';
import { parseCompactSignature } from '../../domain/promotion/decision-signature.js';
import { PerdureError } from '../../domain/errors.js';
import { needsNoApproval, approvalState, filledSlots } from '../../domain/promotion/approval-state.js';
import { listReply } from '../../client/http/page.js';
import {
  decisionReplySchema,
  decisionRequestSchema,
  promotionDetailSchema,
  promotionListSchema,
  type PromotionDetail,
  type PromotionSummary,
} from '../../client/http/promotions.js';
import { readEvaluation } from '../model/read-evaluation.js';
import { flagSchema, pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

const listQuery = pageQuerySchema.extend({
  model: modelNameSchema.optional(),
  version: z.coerce.number().int().min(1).optional(),
  environment: environmentSchema.optional(),
  workflowId: z.string().max(300).optional(),
  open: flagSchema,
});
const ofPromotion = z.object({ id: z.string().min(1).max(200) });

/** Decisions to take versions into environments: what is asked for, on which evidence, and who said what. */
export const promotionEndpoints: EndpointGroup = (app, { db, objects, decisions: sender }) => {
  app.get(
    '/promotions',
    { schema: { tags: ['promotions'], querystring: listQuery, response: { 200: promotionListSchema } } },
    async ({ query }) => listReply('promotions', await listPromotions(db, query), summary),
  );

  app.get(
    '/promotions/:id',
    { schema: { tags: ['promotions'], params: ofPromotion, response: { 200: promotionDetailSchema } } },
    async ({ params, log }) => {
      const [row, decisions] = await Promise.all([promotionById(db, params.id), decisionsOf(db, params.id)]);
      const behind = await queuedBehind(db, row);
      return {
        ...summary(row),
        remindedAt: row.remindedAt?.toISOString() ?? null,
        escalatedAt: row.escalatedAt?.toISOString() ?? null,
        evidence: row.evidence,
        evaluation: row.evidence && (await readEvaluation(objects, row.evidence.evaluationKey, log)),
        requirement: requirementOf(row, decisions),
        queuedBehind: behind,
        decisions: decisions.map(decisionView),
      };
    },
  );

  app.post(
    '/promotions/:id/decisions',
    {
      schema: {
        tags: ['promotions'],
        description: 'Approve, reject or withdraw. The API signs it; the answer says whether it counts, and why.',
        params: ofPromotion,
        body: decisionRequestSchema,
        response: { 200: decisionReplySchema },
      },
    },
    async ({ params, body, log }) => {
      const row = await promotionById(db, params.id);
      if (row.closedAt !== null) {
        throw new PerdureError(
          'promotion/closed',
          `The promotion of ${row.model}@${row.version} to ${row.environment} has already ended: ` +
            `${row.state}. Request another with \`perdure promote\`.`,
        );
      }
      const reply = await sender.decide(row, body);
      log.info(
        { promotion: row.id, decision: body.decision, actor: body.actor, counted: reply.counted, keyId: reply.keyId },
        'promotion decided',
      );
      return { ...reply, queuedBehind: await queuedBehind(db, row) };
    },
  );
};

/** The version whose rollout goes first; null where the place is free, or nothing of this promotion is to come. */
async function queuedBehind(
  db: Database,
  { id, environment, model, closedAt }: PromotionRecord,
): Promise<number | null> {
  const running = closedAt === null ? await runningRollout(db, environment, model) : undefined;
  return running && running.promotionId !== id ? running.challenger : null;
}

function decisionView({ roles, signature, at, ...row }: DecisionRecord): PromotionDetail['decisions'][number] {
  const { sequence, actor, decision, comment, via, counted, selfApproved, reason, evidenceSha256 } = row;
  return {
    ...{ sequence, actor, decision, comment, via, counted, selfApproved, roles, reason, evidenceSha256 },
    keyId: parseCompactSignature(signature ?? '')?.keyId ?? null,
    at: at.toISOString(),
  };
}

/** What the policy asks for, and how far it is: of the decisions on the evidence that is shown now. */
function requirementOf(row: PromotionRecord, all: readonly DecisionRecord[]): PromotionDetail['requirement'] {
  if (!row.evidence) return null;
  const { policy, champion, trainedBy } = row.evidence;
  const free = needsNoApproval(policy, champion);
  const escalated = row.escalatedAt !== null;
  const decisions = all
    .filter((one) => one.via !== 'policy' && one.evidenceSha256 === row.evidenceSha256)
    .map(({ actor, decision, counted, roles }) => ({ actor, decision, counted, ...(roles && { roles }) }));
  const slots = filledSlots(policy, decisions, escalated);
  const { escalateAfterHours, escalateTo } = policy;
  return {
    approvalsNeeded: free ? 0 : requirementsOf(policy, escalated).reduce((sum, one) => sum + one.count, 0),
    approvalsCounted: slots.filledBy.flat().length,
    roles: policy.approvals.roles,
    places: free
      ? []
      : requirementsOf(policy, escalated).map((one, slot) => ({
          count: one.count,
          roles: [...one.roles],
          filledBy: slots.filledBy[slot] ?? [],
        })),
    stillNeeded: free ? [] : slots.missing.map(({ count, roles }) => ({ count, roles: [...roles] })),
    excluded: [...new Set([row.requestedBy, ...(trainedBy === undefined ? [] : [trainedBy])])],
    escalation:
      escalateAfterHours === undefined || escalateTo === undefined
        ? null
        : {
            to: escalateTo,
            at: (row.escalatedAt ?? new Date(row.requestedAt.getTime() + escalateAfterHours * 3_600_000)).toISOString(),
          },
    standing: free ? 'approved' : approvalState(policy, decisions, escalated),
  };
}

function summary(row: PromotionListRow): PromotionSummary {
  const { id, workflowId, model, version, environment, requestedBy, state, reason, evidenceSha256 } = row;
  return {
    ...{ id, workflowId, model, version, environment, requestedBy, state, reason, evidenceSha256 },
    requestedAt: row.requestedAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}
