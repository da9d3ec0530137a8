import type { Database } from '../../db/connect.js';
import { routedEnvironments } from '../../db/serving/current-routes.js';
import { routesFrom } from '../../db/serving/route-queries.js';
import type { Route } from '../../domain/serving/route.js';

/** Every route of a model, of each environment the oldest first. */
export async function routeHistory(db: Database, model: string): Promise<Route[]> {
  const of = (await routedEnvironments(db)).map((environment) =>
    routesFrom(db, { environment, model, from: 1, until: 1_000_000 }, 1000),
  );
  return (await Promise.all(of)).flat();
}
