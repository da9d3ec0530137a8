import { sql } from 'drizzle-orm';
import { retentionDaysDefault, type UpkeepJob } from '../domain/serving/retention.js';
import type { Database } from './connect.js';
import { retentionRuns } from './schema/index.js';

/** Writes down that a job ran, and what it removed; a run that removed nothing leaves what the last one did. */
export async function recordRetentionRun(db: Database, job: UpkeepJob, removed: Record<string, number>): Promise<void> {
  const some = Object.keys(removed).length > 0;
  const ranAt = sql`now()`;
  await db.orm
    .insert(retentionRuns)
    .values({ job, ranAt, removed, removedAt: some ? sql`now()` : null })
    .onConflictDoUpdate({
      target: retentionRuns.job,
      set: some ? { ranAt, removed, removedAt: sql`now()` } : { ranAt },
    });
}

/** The last run of each job. */
export async function retentionRunsOf(db: Database): Promise<(typeof retentionRuns.$inferSelect)[]> {
  return db.orm.select().from(retentionRuns).orderBy(retentionRuns.job);
}

/** A model and how long its applied definition keeps what was served. */
export interface KeptModel {
  model: string;
  retentionDays: number;
}

/** Every model that was ever applied, a page at a time, by name. */
export async function keptModels(db: Database, after: string, limit = 500): Promise<KeptModel[]> {
  return db.sql<KeptModel[]>`
    select models.name as model,
      coalesce((body #>> '{monitoring,retentionDays}')::int, ${retentionDaysDefault}) as "retentionDays"
    from models join definitions on definitions.sha256 = models.definition_sha256
    where models.name > ${after} order by models.name limit ${limit}`;
}
