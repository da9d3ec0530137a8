import { and, eq, isNull } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { newestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import type { PromotionRecord } from './promotion-queries.js';
import { promotions } from '../schema/index.js';

export interface PromotionFilter extends PageRequest {
  model?: string | undefined;
  version?: number | undefined;
  environment?: Environment | undefined;
  workflowId?: string | undefined;
  /** Only promotions without an end. */
  open?: boolean | undefined;
}

/** A promotion without its evidence, which is long. */
export type PromotionListRow = Pick<
  PromotionRecord,
  | ('id' | 'workflowId' | 'model' | 'version' | 'environment' | 'requestedBy' | 'state' | 'reason')
  | ('evidenceSha256' | 'requestedAt' | 'expiresAt' | 'closedAt')
>;

const order = newestFirst(promotions.requestedAt, promotions.id);

/** Promotions, the newest first. */
export async function listPromotions(
  db: Database,
  { model, version, environment, workflowId, open, limit, after }: PromotionFilter,
): Promise<Page<PromotionListRow>> {
  const { id, requestedBy, state, reason, evidenceSha256, requestedAt, expiresAt, closedAt } = promotions;
  const wanted = and(
    model === undefined ? undefined : eq(promotions.model, model),
    version === undefined ? undefined : eq(promotions.version, version),
    environment === undefined ? undefined : eq(promotions.environment, environment),
    workflowId === undefined ? undefined : eq(promotions.workflowId, workflowId),
    open ? isNull(closedAt) : undefined,
  );
  const rows = await db.orm
    .select({
      ...{ id, workflowId: promotions.workflowId, model: promotions.model, version: promotions.version },
      ...{
        environment: promotions.environment,
        requestedBy,
        state,
        reason,
        evidenceSha256,
        requestedAt,
        expiresAt,
        closedAt,
      },
      key: order.key,
    })
    .from(promotions)
    .where(within(wanted, order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}
