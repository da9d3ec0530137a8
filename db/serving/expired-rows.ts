import { sql } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import { keptDays, retentionDaysDefault, type RetentionJob } from '../../domain/serving/retention.js';
import type { Database } from '../connect.js';
import { retentionRuns } from '../schema/index.js';

/** Rows a statement: what holds locks for a moment only. */
const batchMax = 5_000;

export interface Removed {
  /** Rows by what they are; none of those of which there were none. */
  removed: Record<string, number>;
  more: boolean;
}

/** Removes gateways that never returned with what they acknowledged, and old events and marks; a batch of each. */
export async function removeOldRows(db: Database): Promise<Removed> {
  const old = (days: number) => db.sql`now() - make_interval(days => ${days})`;
  const counted: Record<string, number> = {
    'silent gateways': (await db.sql`delete from gateways where heartbeat_at < ${old(keptDays.silentGateway)}`).count,
    acknowledgements: (
      await db.sql`
        delete from gateway_acknowledgements said
        where at < ${old(1)} and not exists (select from gateways where gateways.id = said.gateway_id)`
    ).count,
    'gateway events': (
      await db.sql`
        delete from gateway_events where id = any(array(
          select id from gateway_events where at < ${old(keptDays.gatewayEvent)} order by at limit ${batchMax}))`
    ).count,
    'serving marks': (
      await db.sql`
        delete from serving_marks where source = any(array(
          select source from serving_marks where at < ${old(keptDays.servingMark)} order by at limit ${batchMax}))`
    ).count,
  };
  return { removed: present(counted), more: Object.values(counted).includes(batchMax) };
}

/** A model and how long its applied definition keeps what was served. */
export interface KeptModel {
  model: string;
  retentionDays: number;
}

/** Every model that was ever applied, a page at a time, by name. */
export async function keptModels(db: Database, after: string, limit = 500): Promise<KeptModel[]> {
  return db.sql<KeptModel[]>`
    select models.name as model, coalesce((body #>> '{monitoring,retentionDays}')::int, ${retentionDaysDefault}) as "retentionDays"
    from models join definitions on definitions.sha256 = models.definition_sha256
    where models.name > ${after} order by models.name limit ${limit}`;
}

/**
 * Removes what was counted of a model longer ago than its definition keeps, a batch. Nothing while a rollout is open
 * there, which may compare itself with it.
 */
export async function removeOldCounts(
  db: Database,
  { environment, model, retentionDays }: KeptModel & { environment: Environment },
): Promise<{ removed: number; more: boolean }> {
  const since = db.sql`now() - make_interval(days => ${retentionDays})`;
  const there = db.sql`
    environment = ${environment} and model = ${model} and not exists (
      select from rollouts open where open.environment = ${environment} and open.model = ${model} and open.finished_at is null)`;
  const rollups = await db.sql`
    delete from serving_rollups where ctid = any(array(
      select ctid from serving_rollups where ${there} and grain in ('minute', 'hour', 'day') and bucket < ${since} and "to" < ${since} limit ${batchMax}))`;
  const totals = await db.sql`
    delete from serving_totals where ctid = any(array(
      select ctid from serving_totals where ${there} and "to" < ${since} limit ${batchMax}))`;
  return { removed: rollups.count + totals.count, more: rollups.count === batchMax || totals.count === batchMax };
}

/** Writes down that a job ran, and what it removed; a run that removed nothing leaves what the last one did. */
export async function recordRetentionRun(
  db: Database,
  job: RetentionJob,
  removed: Record<string, number>,
): Promise<void> {
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

const present = (counted: Record<string, number>) =>
  Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
