import { and, between, desc, eq, getTableColumns, gt, inArray, lt, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import { writerOfKey, type RouteWriter } from '../../domain/serving/route-writer.js';
import type { EndOfService, Route, RouteTargetInput } from '../../domain/serving/route.js';
import { storableText } from '../../domain/text/plain-text.js';
import type { Database } from '../connect.js';
import { currentRoutes, leases, routes, stores } from '../schema/index.js';
import { putInForce } from './current-routes.js';

/** Postgres tells listeners here that a route of some environment changed; the payload is the environment. */
export const routeChannel = 'perdure_routes';

export async function storeId(db: Database): Promise<string> {
  const [store] = await db.orm.select().from(stores).orderBy(stores.createdAt, stores.id).limit(1);
  if (!store)
    throw new PerdureError(
      'environment/broken',
      'The database has no store row: run `perdure up`, which applies the migrations.',
    );
  return store.id;
}

type RouteRow = typeof routes.$inferSelect;

/** Of a row that names no writer, its key does. */
function writtenBy({ kind, rolloutId, actor, roles, idempotencyKey }: RouteRow): Pick<Route, 'writtenBy'> {
  const writer = kind === null ? writerOfKey(idempotencyKey) : { kind, rolloutId, actor, roles };
  return writer ? { writtenBy: writer } : {};
}

export const toRoute = (row: RouteRow, store: string): Route => ({
  storeId: store,
  environment: row.environment,
  model: row.model,
  epoch: row.epoch,
  split: row.split,
  shadows: row.shadows,
  standby: row.standby,
  overrides: row.overrides,
  reason: row.reason,
  ...writtenBy(row),
  at: row.at.toISOString(),
  ...(row.ended === null ? {} : { ended: row.ended }),
});

/**
 * The route in force, now or at an earlier time, to the millisecond; undefined where nothing was served, or no longer
 * is.
 */
export async function routeOf(
  db: Database,
  environment: Environment,
  model: string,
  at?: Date,
): Promise<Route | undefined> {
  const ofModel = and(eq(routes.environment, environment), eq(routes.model, model));
  const found = db.orm.select(getTableColumns(routes)).from(routes).$dynamic();
  const [row] = await (at
    ? found
        .where(and(ofModel, lt(routes.at, new Date(at.getTime() + 1))))
        .orderBy(desc(routes.at), desc(routes.epoch))
        .limit(1)
    : found
        .innerJoin(currentRoutes, inForce)
        .where(and(eq(currentRoutes.environment, environment), eq(currentRoutes.model, model))));
  return row && row.ended === null ? toRoute(row, await storeId(db)) : undefined;
}

/** Joins a route with its row in the history. */
export const inForce = and(
  eq(routes.environment, currentRoutes.environment),
  eq(routes.model, currentRoutes.model),
  eq(routes.epoch, currentRoutes.epoch),
);

/** Routes in force of one environment, or of all. */
export async function currentRoutesOf(db: Database, environment?: Environment): Promise<Route[]> {
  return (await latestRoutes(db, environment)).filter((route) => route.ended === undefined);
}

/**
 * As `currentRoutesOf`, with those whose service was ended: a gateway must not take what it does not hear of for what
 * it is to forget.
 * @param since only those that came into force after this revision of the environment
 */
export async function latestRoutes(db: Database, environment?: Environment, since = 0): Promise<Route[]> {
  const store = await storeId(db);
  const rows = await db.orm
    .select(getTableColumns(routes))
    .from(currentRoutes)
    .innerJoin(routes, inForce)
    .where(
      and(
        environment === undefined ? undefined : eq(currentRoutes.environment, environment),
        since > 0 ? gt(currentRoutes.revision, since) : undefined,
      ),
    )
    .orderBy(currentRoutes.environment, currentRoutes.model);
  return rows.map((row) => toRoute(row, store));
}

/** The routes of an environment and model from one epoch on, oldest first; no more than `limit`. */
export async function routesFrom(
  db: Database,
  { environment, model, from, until }: { environment: Environment; model: string; from: number; until: number },
  limit: number,
): Promise<Route[]> {
  const store = await storeId(db);
  const rows = await db.orm
    .select()
    .from(routes)
    .where(and(eq(routes.environment, environment), eq(routes.model, model), between(routes.epoch, from, until)))
    .orderBy(routes.epoch)
    .limit(limit);
  return rows.map((row) => toRoute(row, store));
}

/** The newest route of a model in an environment, whether it serves or its service was ended. */
export async function newestRoute(db: Database, environment: Environment, model: string): Promise<Route | undefined> {
  const [row] = await db.orm
    .select()
    .from(routes)
    .where(and(eq(routes.environment, environment), eq(routes.model, model)))
    .orderBy(desc(routes.epoch))
    .limit(1);
  return row && toRoute(row, await storeId(db));
}

/** Under which epoch each of a rollout's stages was served. The key of a stage's route is `ROLLOUT/step-STAGE`. */
export async function epochsOfStages(
  db: Database,
  rolloutId: string,
  stages: number,
): Promise<{ stage: number; epoch: number }[]> {
  const stageOf = new Map(Array.from({ length: stages }, (_, stage) => [`${rolloutId}/step-${stage}`, stage]));
  const rows = await db.orm
    .select({ key: routes.idempotencyKey, epoch: routes.epoch })
    .from(routes)
    .where(inArray(routes.idempotencyKey, [...stageOf.keys()]))
    .orderBy(routes.epoch);
  return rows.map(({ key, epoch }) => ({ stage: stageOf.get(key) ?? 0, epoch }));
}

export interface RouteWrite extends RouteTargetInput {
  environment: Environment;
  model: string;
  reason: string;
  idempotencyKey: string;
  writtenBy?: RouteWriter | undefined;
  lease: LeaseGrant;
  /** Ends the service: the split says what was served last. */
  ended?: EndOfService | undefined;
  /** The key of a route that ends what this one belongs to: once that is written, this one no longer may be. */
  unlessWritten?: string | undefined;
}

/**
 * Puts a new route in force under the next epoch and tells the gateways. Writing again under the same key gives the
 * route written before.
 * @throws PerdureError `lease/lost` when the lease's token is not the current one, or `unlessWritten` is written:
 * nothing is written.
 */
export async function writeRoute(db: Database, write: RouteWrite): Promise<Route> {
  const store = await storeId(db);
  return db.orm.transaction(async (tx) => {
    const [lease] = await tx
      .select()
      .from(leases)
      .where(
        and(
          eq(leases.name, write.lease.name),
          eq(leases.holder, write.lease.holder),
          eq(leases.token, write.lease.token),
          sql`${leases.releasedAt} is null`,
        ),
      )
      .for('update');
    const [before] = await tx.select().from(routes).where(eq(routes.idempotencyKey, write.idempotencyKey));
    if (before) return toRoute(before, store);
    if (!lease) {
      throw new PerdureError(
        'lease/lost',
        `${write.lease.holder} no longer holds ${write.lease.name}: its route was not written.`,
        {
          lease: write.lease.name,
        },
      );
    }
    if (write.unlessWritten !== undefined) {
      const [ended] = await tx
        .select({ epoch: routes.epoch })
        .from(routes)
        .where(eq(routes.idempotencyKey, write.unlessWritten));
      if (ended)
        throw new PerdureError(
          'lease/lost',
          `${write.lease.holder} has gone back in epoch ${ended.epoch}: its route was not written.`,
          {
            lease: write.lease.name,
          },
        );
    }
    const [row] = await tx
      .insert(routes)
      .values({
        environment: write.environment,
        model: write.model,
        epoch: sql`(select coalesce(max(epoch), 0) + 1 from routes where environment = ${write.environment}
          and model = ${write.model})`,
        idempotencyKey: write.idempotencyKey,
        split: write.split,
        shadows: write.shadows ?? [],
        standby: write.standby ?? [],
        overrides: write.overrides ?? [],
        reason: storableText(write.reason),
        ended: write.ended ?? null,
        ...write.writtenBy,
        leaseToken: write.lease.token,
        // Of the moment under the lock, so that times rise with epochs.
        at: sql`clock_timestamp()`,
      })
      .returning();
    if (!row) throw new Error('an insert returned no row');
    await putInForce(tx, row);
    await tx.execute(sql`select pg_notify(${routeChannel}, ${write.environment})`);
    return toRoute(row, store);
  });
}
