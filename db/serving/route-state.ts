import { and, eq, gte, inArray, lt, or, sql, type SQL } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import {
  incumbentOf,
  versionsOfRoute,
  type FormerVersion,
  type Route,
  type ServedVersion,
} from '../../domain/serving/route.js';
import type { Database } from '../connect.js';
import { latestRoutes, storeId } from './route-queries.js';
import { releasedModels } from './route-releases.js';
import { definitions, routeRevisions, routes, stores, versions } from '../schema/index.js';
import { classThreshold } from './class-threshold.js';

/** Which state of an environment's routes somebody knows. */
export interface RouteRevision {
  storeId: string;
  /** 0 before the first route. */
  revision: number;
  /** When it came into force: two revisions of one number, as after a restored backup, differ in it. */
  changedAt: string | null;
}

/** The present revision of an environment: all that a gateway asks while nothing changes. */
export async function routeRevision(db: Database, environment: Environment): Promise<RouteRevision> {
  const [row] = await db.orm
    .select({ storeId: stores.id, revision: routeRevisions.revision, changedAt: routeRevisions.changedAt })
    .from(stores)
    .leftJoin(routeRevisions, eq(routeRevisions.environment, environment))
    .orderBy(stores.createdAt, stores.id)
    .limit(1);
  return {
    storeId: row?.storeId ?? (await storeId(db)),
    revision: row?.revision ?? 0,
    changedAt: row?.changedAt?.toISOString() ?? null,
  };
}

/** All that a gateway needs to know of routes. */
export interface RouteChanges {
  routes: Route[];
  /** Those that the routes name. */
  versions: ServedVersion[];
  former: FormerVersion[];
  /** Models without a route here that a person lets go, all of them. */
  released: string[];
}

/**
 * The routes of an environment that came into force after a revision, with the versions that they name; all of them
 * since 0.
 */
export async function routeChanges(db: Database, environment: Environment, since: number): Promise<RouteChanges> {
  const latest = await latestRoutes(db, environment, since);
  const inForce = latest.filter((route) => route.ended === undefined);
  const [served, former, released] = await Promise.all([
    servedVersions(db, inForce),
    formerVersions(db, inForce),
    releasedModels(db, environment),
  ]);
  return { routes: latest, versions: served, former, released };
}

async function servedVersions(db: Database, inForce: readonly Route[]): Promise<ServedVersion[]> {
  if (inForce.length === 0) return [];
  const { model, version, artifactSha256, artifactKey, definitionSha256, signature } = versions;
  const rows = await db.orm
    .select({ model, version, artifactSha256, artifactKey, definitionSha256, threshold: classThreshold, signature })
    .from(versions)
    .leftJoin(definitions, eq(definitions.sha256, definitionSha256))
    .where(or(...inForce.map((route) => and(eq(model, route.model), inArray(version, versionsOfRoute(route))))));
  return rows.map(({ signature: { classes }, ...served }) => ({
    ...served,
    ...(classes !== undefined && { classes }),
  }));
}

/** How far back callers are remembered who had moved on to a version that a route went back from. */
const formerEpochs = 20;
const formerDays = 30;

/** Versions newer than each route's incumbent that lately had a share of its traffic. */
async function formerVersions(db: Database, inForce: readonly Route[]): Promise<FormerVersion[]> {
  if (inForce.length === 0) return [];
  const before = inForce.map(({ environment, model, epoch }) =>
    and(
      eq(routes.environment, environment),
      eq(routes.model, model),
      gte(routes.epoch, epoch - formerEpochs),
      lt(routes.epoch, epoch),
      sql`${routes.at} > now() - make_interval(days => ${formerDays})`,
    ),
  );
  const rows = await db.orm
    .select({ model: routes.model, split: routes.split })
    .from(routes)
    .where(or(...before));
  const wanted: (SQL | undefined)[] = inForce.flatMap((route) => {
    const numbers = rows.flatMap(({ model, split }) =>
      model === route.model ? split.map(({ version }) => version) : [],
    );
    const newer = [...new Set(numbers)].filter(
      (number) => number > incumbentOf(route) && !versionsOfRoute(route).includes(number),
    );
    return newer.length === 0 ? [] : [and(eq(versions.model, route.model), inArray(versions.version, newer))];
  });
  if (wanted.length === 0) return [];
  const { model, version, definitionSha256 } = versions;
  return db.orm
    .select({ model, version, definitionSha256 })
    .from(versions)
    .where(or(...wanted))
    .orderBy(model, version);
}
