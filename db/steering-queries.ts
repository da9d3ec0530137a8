import { and, asc, eq, ne } from 'drizzle-orm';
import type { Database } from './connect.js';
import { rolloutSteering } from './schema/index.js';

export type SteeringRecord = typeof rolloutSteering.$inferSelect;

/** Writes down what was said to a rollout, accepted or not. A repeated call returns the first row: what was ruled once stands. */
export async function recordSteering(db: Database, said: Omit<typeof rolloutSteering.$inferInsert, 'at'>): Promise<SteeringRecord> {
  await db.orm.insert(rolloutSteering).values(said).onConflictDoNothing();
  const [row] = await db.orm.select().from(rolloutSteering).where(eq(rolloutSteering.id, said.id));
  if (!row) throw new Error('an inserted row is not there');
  return row;
}

/** Whether a command with this signature was accepted before. */
export async function wasUsed(db: Database, signature: string, exceptId: string): Promise<boolean> {
  const rows = await db.orm
    .select({ id: rolloutSteering.id })
    .from(rolloutSteering)
    .where(and(eq(rolloutSteering.signature, signature), eq(rolloutSteering.accepted, true), ne(rolloutSteering.id, exceptId)))
    .limit(1);
  return rows.length > 0;
}

/** What was said to a rollout, oldest first, two hundred at most. */
export async function steeringOf(db: Database, rolloutId: string): Promise<SteeringRecord[]> {
  return db.orm.select().from(rolloutSteering).where(eq(rolloutSteering.rolloutId, rolloutId)).orderBy(asc(rolloutSteering.at)).limit(200);
}
