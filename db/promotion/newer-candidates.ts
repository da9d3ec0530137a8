import { and, asc, desc, eq, gt, inArray, isNull, lt } from 'drizzle-orm';
import { takesPlaceOfOlder } from '../../domain/promotion/promotion.js';
import type { Database } from '../connect.js';
import type { PromotionRecord } from './promotion-queries.js';
import { promotions } from '../schema/index.js';

type Candidate = Pick<PromotionRecord, 'model' | 'environment' | 'version' | 'requestedAt'>;

const samePlace = ({ model, environment }: Candidate) =>
  and(eq(promotions.model, model), eq(promotions.environment, environment));

/**
 * Promotions of older versions into the same place that nobody has decided on yet, and that were asked for before this
 * one; at most 100.
 */
export async function olderWaiting(db: Database, newer: Candidate): Promise<PromotionRecord[]> {
  return db.orm
    .select()
    .from(promotions)
    .where(
      and(
        samePlace(newer),
        lt(promotions.version, newer.version),
        lt(promotions.requestedAt, newer.requestedAt),
        inArray(promotions.state, ['gathering-evidence', 'waiting-for-approval']),
        isNull(promotions.closedAt),
      ),
    )
    .orderBy(asc(promotions.requestedAt))
    .limit(100);
}

/**
 * The newest version that was asked for later, for the same place, and has shown its evidence; of those that ended,
 * only what was promoted.
 */
export async function newerCandidate(db: Database, older: Candidate): Promise<PromotionRecord | undefined> {
  const rows = await db.orm
    .select()
    .from(promotions)
    .where(
      and(
        samePlace(older),
        gt(promotions.version, older.version),
        gt(promotions.requestedAt, older.requestedAt),
        inArray(promotions.state, ['gathering-evidence', 'waiting-for-approval', 'rolling-out', 'promoted']),
      ),
    )
    .orderBy(desc(promotions.version))
    .limit(20);
  return rows.find(takesPlaceOfOlder);
}
