import { and, desc, eq, isNull } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { promotions } from '../schema/index.js';

export interface PromotionFilter {
  model?: string | undefined;
  version?: number | undefined;
  environment?: Environment | undefined;
  workflowId?: string | undefined;
  /** Only promotions without an end. */
  open?: boolean | undefined;
  limit: number;
}

/** Promotions, the newest first. */
export async function listPromotions(
  db: Database,
  filter: PromotionFilter,
): Promise<(typeof promotions.$inferSelect)[]> {
  return db.orm
    .select()
    .from(promotions)
    .where(
      and(
        filter.model === undefined ? undefined : eq(promotions.model, filter.model),
        filter.version === undefined ? undefined : eq(promotions.version, filter.version),
        filter.environment === undefined ? undefined : eq(promotions.environment, filter.environment),
        filter.workflowId === undefined ? undefined : eq(promotions.workflowId, filter.workflowId),
        filter.open ? isNull(promotions.closedAt) : undefined,
      ),
    )
    .orderBy(desc(promotions.requestedAt), promotions.id)
    .limit(filter.limit);
}
