import { and, eq, getTableColumns, inArray, isNull } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import type { Route } from '../../domain/serving/route.js';
import type { Database } from '../connect.js';
import { allPages, newestFirst, smallestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import { inForce, storeId, toRoute } from './route-queries.js';
import { currentRoutes, routes } from '../schema/index.js';

export interface RouteFilter extends PageRequest {
  environment?: Environment | undefined;
  /** Only routes of these models. */
  models?: readonly string[] | undefined;
}

const current = smallestFirst(currentRoutes.environment, currentRoutes.model);

/** Routes in force, by environment and model. */
export async function listRoutes(
  db: Database,
  { environment, models, limit, after }: RouteFilter,
): Promise<Page<Route>> {
  const wanted = and(
    isNull(routes.ended),
    environment === undefined ? undefined : eq(currentRoutes.environment, environment),
    models === undefined ? undefined : inArray(currentRoutes.model, [...models]),
  );
  const rows = await db.orm
    .select({ ...getTableColumns(routes), key: current.key })
    .from(currentRoutes)
    .innerJoin(routes, inForce)
    .where(within(wanted, current.after(after)))
    .orderBy(...current.orderBy)
    .limit(limit + 1);
  const store = await storeId(db);
  const { items, next } = toPage(rows, limit);
  return { items: items.map((row) => toRoute(row, store)), next };
}

/** What environments serve of these models now. */
export async function routesOfModels(db: Database, models: readonly string[]): Promise<Route[]> {
  if (models.length === 0) return [];
  return allPages((after) => listRoutes(db, { models, limit: 500, after }));
}

const history = newestFirst(routes.environment, routes.epoch);

/** Every route of a model that was ever in force, the newest of each environment first. */
export async function listRouteHistory(
  db: Database,
  { model, environment, limit, after }: { model: string; environment?: Environment | undefined } & PageRequest,
): Promise<Page<Route>> {
  const wanted = and(eq(routes.model, model), environment ? eq(routes.environment, environment) : undefined);
  const rows = await db.orm
    .select({ ...getTableColumns(routes), key: history.key })
    .from(routes)
    .where(within(wanted, history.after(after)))
    .orderBy(...history.orderBy)
    .limit(limit + 1);
  const store = await storeId(db);
  const { items, next } = toPage(rows, limit);
  return { items: items.map((row) => toRoute(row, store)), next };
}
