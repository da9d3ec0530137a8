import { sql } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { currentRoutes as current, routeRevisions } from '../schema/index.js';

type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0];

/**
 * The environment's next revision: whoever changes it at the same time waits, so that revisions come into force in
 * their order.
 */
export async function nextRevision(tx: Transaction, environment: Environment): Promise<number> {
  const [row] = await tx
    .insert(routeRevisions)
    .values({ environment, revision: 1 })
    .onConflictDoUpdate({
      target: routeRevisions.environment,
      set: { revision: sql`${routeRevisions.revision} + 1`, changedAt: sql`now()` },
    })
    .returning({ revision: routeRevisions.revision });
  if (!row) throw new Error('an upsert returned no row');
  return row.revision;
}

/** Every environment that ever had a route, listed in the configuration or not, by name. */
export async function routedEnvironments(db: Database): Promise<Environment[]> {
  const rows = await db.orm
    .select({ environment: routeRevisions.environment })
    .from(routeRevisions)
    .orderBy(routeRevisions.environment);
  return rows.map(({ environment }) => environment);
}

/** Puts an epoch in force, in the transaction that appends it to the history. */
export async function putInForce(
  tx: Transaction,
  { environment, model, epoch }: { environment: Environment; model: string; epoch: number },
): Promise<void> {
  const revision = await nextRevision(tx, environment);
  await tx
    .insert(current)
    .values({ environment, model, epoch, revision })
    .onConflictDoUpdate({
      target: [current.environment, current.model],
      set: { epoch, revision },
      setWhere: sql`${current.epoch} < ${epoch}`,
    });
}
