import { and, desc, eq, inArray } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { versionArchivals } from '../schema/index.js';

export type ArchivalRecord = typeof versionArchivals.$inferSelect;

/** Writes down that a version was put away or brought back. What says nothing new is not written. */
export async function recordArchival(
  db: Database,
  act: Pick<ArchivalRecord, 'model' | 'version' | 'archived' | 'actor' | 'reason'>,
): Promise<ArchivalRecord | null> {
  return db.orm.transaction(async (tx) => {
    const [before] = await tx
      .select()
      .from(versionArchivals)
      .where(and(eq(versionArchivals.model, act.model), eq(versionArchivals.version, act.version)))
      .orderBy(desc(versionArchivals.id))
      .limit(1);
    if ((before?.archived ?? false) === act.archived) return before ?? null;
    const [row] = await tx.insert(versionArchivals).values(act).returning();
    return row ?? null;
  });
}

/** Which of these versions of a model are put away, with who did it and why. */
export async function archivedVersions(
  db: Database,
  model: string,
  numbers: readonly number[],
): Promise<Map<number, ArchivalRecord>> {
  const newest = await db.orm
    .selectDistinctOn([versionArchivals.version])
    .from(versionArchivals)
    .where(and(eq(versionArchivals.model, model), inArray(versionArchivals.version, [...numbers])))
    .orderBy(versionArchivals.version, desc(versionArchivals.id));
  return new Map(newest.filter(({ archived }) => archived).map((row) => [row.version, row]));
}
