import { getTableColumns, sql } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { compactionDays } from '../schema/index.js';

/** A day of a log that is over and waits to be compacted. */
export interface CompactionDay {
  /** As people call it, for example `production of flight-delay`. */
  log: string;
  day: string;
}

/** Writes down which days wait now: those that wait no more go, those that waited before keep since when. */
export async function recordCompactionDays(db: Database, days: readonly CompactionDay[]): Promise<void> {
  const found = db.sql`unnest(${days.map(({ log }) => log)}::text[], ${days.map(({ day }) => day)}::text[])`;
  await db.sql.begin(async (transaction) => {
    await transaction`delete from compaction_days where (log, day) not in (select * from ${found})`;
    await transaction`insert into compaction_days select *, now() from ${found} on conflict do nothing`;
  });
}

/** How many days wait, and the one that has waited longest. */
export async function waitingCompactionDays(
  db: Database,
): Promise<{ count: number; longest: (CompactionDay & { foundAt: Date }) | undefined }> {
  const [first] = await db.orm
    .select({ ...getTableColumns(compactionDays), count: sql<number>`(count(*) over ())::int` })
    .from(compactionDays)
    .orderBy(compactionDays.foundAt, compactionDays.day, compactionDays.log)
    .limit(1);
  return { count: first?.count ?? 0, longest: first };
}
