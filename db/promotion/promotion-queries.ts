import { and, desc, eq, inArray, isNull, lte, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { Decision, Evidence, PromotionState } from '../../domain/promotion/promotion.js';
import { promotionMoves } from '../../domain/promotion/promotion-moves.js';
import { isEnd } from '../../domain/state-moves.js';
import { storableText } from '../../domain/text/plain-text.js';
import type { Database } from '../connect.js';
import { promotionDecisions, promotions } from '../schema/index.js';

export type PromotionRecord = typeof promotions.$inferSelect;
export type DecisionRecord = typeof promotionDecisions.$inferSelect;

/** Records that a promotion was asked for; once per id. */
export async function openPromotion(
  db: Database,
  promotion: {
    id: string;
    workflowId: string;
    model: string;
    version: number;
    environment: Environment;
    requestedBy: string;
  },
): Promise<void> {
  await db.orm
    .insert(promotions)
    .values({ ...promotion, state: 'gathering-evidence' })
    .onConflictDoNothing();
}

/**
 * Shows new evidence: decisions on other evidence no longer count.
 * @throws PerdureError `state/conflict` when the promotion is over, or a later activity has written: nothing changes.
 */
export async function showEvidence(
  db: Database,
  id: string,
  shown: { evidence: Evidence; evidenceSha256: string; expiresAt: Date | null },
  writeOrder: number,
): Promise<void> {
  const changed = await db.orm
    .update(promotions)
    .set({
      evidence: shown.evidence,
      evidenceSha256: shown.evidenceSha256,
      writeOrder,
      expiresAt: sql`coalesce(${promotions.expiresAt}, ${shown.expiresAt?.toISOString() ?? null}::timestamptz)`,
    })
    .where(and(eq(promotions.id, id), isNull(promotions.closedAt), lte(promotions.writeOrder, writeOrder)))
    .returning({ id: promotions.id });
  if (changed.length === 0) throw await refused(db, id, 'new evidence');
}

/**
 * Moves a promotion on; an end is stamped with its time, and the same end again changes nothing.
 * @throws PerdureError `state/conflict` when the state it is in is none that this one follows, or a later activity has
 * written: nothing changes.
 */
export async function setPromotionState(
  db: Database,
  id: string,
  state: PromotionState,
  reason: string | null,
  writeOrder: number,
): Promise<void> {
  const over = isEnd(promotionMoves, state);
  const changed = await db.orm
    .update(promotions)
    .set({ state, reason: reason && storableText(reason), writeOrder, closedAt: over ? sql`now()` : null })
    .where(
      and(
        eq(promotions.id, id),
        inArray(promotions.state, [...promotionMoves[state]]),
        lte(promotions.writeOrder, writeOrder),
      ),
    )
    .returning({ id: promotions.id });
  if (changed.length > 0) return;
  if (over && (await promotionById(db, id)).state === state) return;
  throw await refused(db, id, state);
}

/**
 * Others may approve from now on, because nobody decided. The first time stands. Nothing happens to a promotion that
 * does not wait.
 */
export async function recordEscalation(db: Database, id: string): Promise<void> {
  await db.orm
    .update(promotions)
    .set({ escalatedAt: sql`now()` })
    .where(and(eq(promotions.id, id), eq(promotions.state, 'waiting-for-approval'), isNull(promotions.escalatedAt)));
}

/** Nothing happens to a promotion that does not wait. */
export async function recordReminder(db: Database, id: string): Promise<void> {
  await db.orm
    .update(promotions)
    .set({ remindedAt: sql`now()` })
    .where(and(eq(promotions.id, id), eq(promotions.state, 'waiting-for-approval')));
}

async function refused(db: Database, id: string, wanted: string): Promise<PerdureError> {
  const { state } = await promotionById(db, id);
  return new PerdureError(
    'state/conflict',
    `promotion ${id} is ${state} by now: ${wanted} came too late, and nothing was changed.`,
    {
      id,
      state,
    },
  );
}

export interface NewDecision extends Decision {
  promotionId: string;
  /** The workflow's count of decisions: the key by which a repeated activity finds its row. */
  sequence: number;
  via: 'update' | 'signal' | 'policy';
  /** The actor's roles at that moment; null for the policy's own word. */
  roles: string[] | null;
  counted: boolean;
  selfApproved: boolean;
  reason: string;
  at: string;
}

/** Writes a decision down, counted or not. A repeated call returns the first row: what was ruled once stands. */
export async function recordDecision(
  db: Database,
  { evidenceSha256, signature, at, ...decision }: NewDecision,
): Promise<DecisionRecord> {
  await db.orm
    .insert(promotionDecisions)
    .values({ ...decision, evidenceSha256: evidenceSha256 ?? null, signature: signature ?? null, at: new Date(at) })
    .onConflictDoNothing();
  const [row] = await db.orm
    .select()
    .from(promotionDecisions)
    .where(
      and(eq(promotionDecisions.promotionId, decision.promotionId), eq(promotionDecisions.sequence, decision.sequence)),
    );
  if (!row) throw new Error('an inserted row is not there');
  return row;
}

/** @throws PerdureError `not-found`. */
export async function promotionById(db: Database, id: string): Promise<PromotionRecord> {
  const [row] = await db.orm.select().from(promotions).where(eq(promotions.id, id));
  if (!row)
    throw new PerdureError('not-found', `No promotion has the id ${id}. \`perdure promotions ls\` lists them.`, { id });
  return row;
}

export async function decisionsOf(db: Database, promotionId: string): Promise<DecisionRecord[]> {
  return db.orm
    .select()
    .from(promotionDecisions)
    .where(eq(promotionDecisions.promotionId, promotionId))
    .orderBy(promotionDecisions.sequence);
}

/**
 * The promotion by which an environment got a version, or is getting it: approved, and not ended otherwise. Its
 * evidence says which bytes.
 */
export async function promotionInto(
  db: Database,
  place: { model: string; version: number; environment: Environment; promotionId?: string | null },
): Promise<PromotionRecord | undefined> {
  const { model, version, environment, promotionId = null } = place;
  const [row] = await db.orm
    .select()
    .from(promotions)
    .where(
      and(
        eq(promotions.model, model),
        eq(promotions.version, version),
        eq(promotions.environment, environment),
        inArray(promotions.state, ['rolling-out', 'promoted']),
        promotionId === null ? undefined : eq(promotions.id, promotionId),
      ),
    )
    .orderBy(desc(promotions.requestedAt))
    .limit(1);
  return row;
}
