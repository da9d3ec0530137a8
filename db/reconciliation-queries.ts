import { and, asc, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import type { Environment } from '../domain/names.js';
import type { Database } from './connect.js';
import { inForce } from './serving/route-queries.js';
import { currentRoutes, leases, promotions, rollouts, routes, runs } from './schema/index.js';

/** A row that has not ended, and the workflow that is to end it. Its id is that of the workflow's first run. */
interface OpenRow {
  kind: 'run' | 'promotion' | 'rollout';
  id: string;
  workflowId: string;
  model: string;
}

/** Rows a page. Open rows are few; whoever wants all of them asks for page after page. */
const pageSize = 200;

/** Every open run, promotion and rollout, by the partial indexes of each. */
export async function openRows(db: Database): Promise<OpenRow[]> {
  const page = async (kind: OpenRow['kind'], after: string) => {
    if (kind === 'run') {
      const { id, workflowId, model } = runs;
      const wanted = and(isNull(runs.finishedAt), gt(id, after));
      return db.orm.select({ id, workflowId, model }).from(runs).where(wanted).orderBy(asc(id)).limit(pageSize);
    }
    const table = kind === 'promotion' ? promotions : rollouts;
    const { id, workflowId, model } = table;
    const open = isNull(kind === 'promotion' ? promotions.closedAt : rollouts.finishedAt);
    return db.orm
      .select({ id, workflowId, model })
      .from(table)
      .where(and(open, gt(id, after)))
      .orderBy(asc(id))
      .limit(pageSize);
  };
  const found: OpenRow[] = [];
  for (const kind of ['run', 'promotion', 'rollout'] as const) {
    for (let after = '', rows; ; after = rows.at(-1)?.id ?? '') {
      rows = await page(kind, after);
      found.push(...rows.map((row) => ({ kind, ...row })));
      if (rows.length < pageSize) break;
    }
  }
  return found;
}

/** Completed rollouts that late labels are to have the last word on, and have not had for a while. */
export async function rolloutsAwaitingLabels(db: Database) {
  const { id, environment, model, challenger } = rollouts;
  return db.orm
    .select({ id, environment, model, challenger })
    .from(rollouts)
    .where(
      and(
        eq(rollouts.state, 'completed'),
        isNull(rollouts.lateReview),
        awaitsLabels,
        lt(rollouts.finishedAt, sql`now() - interval '1 minute'`),
      ),
    )
    .orderBy(desc(rollouts.finishedAt))
    .limit(pageSize);
}

/** Part of a partial index: words must stay the same in both. */
const awaitsLabels = sql`settled -> 'policy' ? 'lateLabels'
  and jsonb_typeof(settled -> 'parties' -> 'champion') = 'number'`;

/** Leases that are held. */
export async function heldLeases(db: Database) {
  const { name, holder, token } = leases;
  return db.orm.select({ name, holder, token }).from(leases).where(isNull(leases.releasedAt)).orderBy(name);
}

/** The newest rollout that a promotion began. */
export async function rolloutOfPromotion(db: Database, promotionId: string) {
  const [row] = await db.orm
    .select({ id: rollouts.id, state: rollouts.state, reason: rollouts.reason })
    .from(rollouts)
    .where(eq(rollouts.promotionId, promotionId))
    .orderBy(desc(rollouts.startedAt))
    .limit(1);
  return row;
}

/** The epoch in force where a stage of this rollout wrote it; undefined where something else did, or nothing. */
export async function epochOfStageInForce(
  db: Database,
  { id, environment, model }: { id: string; environment: Environment; model: string },
): Promise<number | undefined> {
  const [route] = await db.orm
    .select({ epoch: routes.epoch, key: routes.idempotencyKey })
    .from(currentRoutes)
    .innerJoin(routes, inForce)
    .where(and(eq(currentRoutes.environment, environment), eq(currentRoutes.model, model)));
  return route?.key.startsWith(`${id}/step-`) ? route.epoch : undefined;
}

/**
 * Routes in force that a rollout's stage wrote and that nobody took back, though the rollout has ended otherwise than
 * it should and there was a champion.
 */
export async function orphanedShares(
  db: Database,
): Promise<{ rolloutId: string; environment: Environment; model: string }[]> {
  return db.sql<{ rolloutId: string; environment: Environment; model: string }[]>`
    select rollout.id as "rolloutId", route.environment, route.model
    from current_routes current
    join routes route on route.environment = current.environment and route.model = current.model
    and route.epoch = current.epoch
    join rollouts rollout on rollout.id = split_part(route.idempotency_key, '/step-', 1)
    where rollout.state in ('rolled-back', 'aborted', 'failed') and rollout.champion is not null
    limit ${pageSize}`;
}
