import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { rolloutSteering } from '../schema/index.js';

export type SteeringRecord = typeof rolloutSteering.$inferSelect;

/**
 * Writes down what was said to a rollout, accepted or not. A repeated call returns the first row: what was ruled once
 * stands. With `once`, a signature that was accepted before is not accepted again: whoever sends the same one waits
 * until the other has been written down.
 */
export async function recordSteering(
  db: Database,
  said: Omit<typeof rolloutSteering.$inferInsert, 'at'>,
  { once }: { once: boolean },
): Promise<SteeringRecord> {
  return db.orm.transaction(async (tx) => {
    const { signature = null } = said;
    const counts = once && said.accepted && signature !== null;
    if (counts) await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${signature}, 0))`);
    const [used] = counts
      ? await tx
          .select({ id: rolloutSteering.id })
          .from(rolloutSteering)
          .where(and(eq(rolloutSteering.signature, signature), eq(rolloutSteering.accepted, true)))
          .limit(1)
      : [];
    const refused = used !== undefined && { accepted: false, answer: 'its signature was already used: send it again' };
    await tx
      .insert(rolloutSteering)
      .values({ ...said, ...refused })
      .onConflictDoNothing();
    const [row] = await tx.select().from(rolloutSteering).where(eq(rolloutSteering.id, said.id));
    if (!row) throw new Error('an inserted row is not there');
    return row;
  });
}

/** What was said to a rollout, oldest first, two hundred at most. */
export async function steeringOf(db: Database, rolloutId: string): Promise<SteeringRecord[]> {
  return db.orm
    .select()
    .from(rolloutSteering)
    .where(eq(rolloutSteering.rolloutId, rolloutId))
    .orderBy(asc(rolloutSteering.at))
    .limit(200);
}
