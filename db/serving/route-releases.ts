import { eq, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { routeChannel, routeOf } from './route-queries.js';
import { routeReleases } from '../schema/index.js';
import { nextRevision } from './current-routes.js';

export type RouteRelease = typeof routeReleases.$inferSelect;

/**
 * Writes down that gateways may let go of a model that they serve from before this database, and tells them.
 * @throws PerdureError `state/conflict` for a model that has a route here: that is no leftover.
 */
export async function releaseRoute(
  db: Database,
  release: Pick<RouteRelease, 'environment' | 'model' | 'actor' | 'reason'>,
): Promise<RouteRelease> {
  const { environment, model } = release;
  const route = await routeOf(db, environment, model);
  if (route)
    throw new PerdureError(
      'state/conflict',
      `${model} has a route in ${environment} (epoch ${route.epoch}): only models that this database does not know ` +
        'can be released.',
    );
  return db.orm.transaction(async (tx) => {
    const [row] = await tx.insert(routeReleases).values(release).returning();
    if (row === undefined) throw new Error('the release was not stored');
    await nextRevision(tx, environment);
    await tx.execute(sql`select pg_notify(${routeChannel}, ${environment})`);
    return row;
  });
}

/** Models that gateways of an environment may let go of. One that has a route is served, whatever was said before. */
export async function releasedModels(db: Database, environment: Environment): Promise<string[]> {
  const rows = await db.orm
    .selectDistinct({ model: routeReleases.model })
    .from(routeReleases)
    .where(eq(routeReleases.environment, environment));
  return rows.map(({ model }) => model);
}
