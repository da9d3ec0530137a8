import type { Environment } from '../../domain/names.js';
import { keptDays } from '../../domain/serving/retention.js';
import type { Database } from '../connect.js';
import type { KeptModel } from '../retention-runs.js';

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

/** Every environment that something was counted in, routed or not: a step of the primary key each. */
export async function countedEnvironments(db: Database): Promise<Environment[]> {
  const rows = await db.sql<{ environment: Environment }[]>`
    with recursive found as (
      (select environment from serving_totals order by environment limit 1)
      union all
      select (select next.environment from serving_totals next where next.environment > found.environment
        order by next.environment limit 1)
      from found where found.environment is not null)
    select environment from found where environment is not null`;
  return rows.map(({ environment }) => environment);
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
      select from rollouts open where open.environment = ${environment} and open.model = ${model}
      and open.finished_at is null)`;
  const rollups = await db.sql`
    delete from serving_rollups where ctid = any(array(
      select ctid from serving_rollups where ${there} and grain in ('minute', 'hour', 'day') and bucket < ${since}
      and "to" < ${since} limit ${batchMax}))`;
  const totals = await db.sql`
    delete from serving_totals where ctid = any(array(
      select ctid from serving_totals where ${there} and "to" < ${since} limit ${batchMax}))`;
  return { removed: rollups.count + totals.count, more: rollups.count === batchMax || totals.count === batchMax };
}

const present = (counted: Record<string, number>) =>
  Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
