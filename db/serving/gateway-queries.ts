import { and, eq, gt, sql } from 'drizzle-orm';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { storeId } from './route-queries.js';
import { gatewayAcknowledgements, gateways } from '../schema/index.js';

/** A gateway whose last heartbeat is older than this no longer counts as one. */
export const gatewaySilentAfterSeconds = 10;

export interface GatewayHeartbeat {
  gatewayId: string;
  environment: Environment;
  url: string;
  bootId: string;
}

/** Renews a gateway's heartbeat. */
export async function recordGateway(
  db: Database,
  { gatewayId, environment, url, bootId }: GatewayHeartbeat,
): Promise<void> {
  await db.orm
    .insert(gateways)
    .values({ id: gatewayId, environment, url, bootId })
    .onConflictDoUpdate({ target: gateways.id, set: { environment, url, bootId, heartbeatAt: sql`now()` } });
}

/**
 * Ends a gateway's heartbeat and what it acknowledged: it stops and need not be waited for. A process of the same name
 * that started since keeps both.
 */
export async function forgetGateway(
  db: Database,
  { gatewayId, bootId }: { gatewayId: string; bootId: string },
): Promise<void> {
  await db.orm.transaction(async (tx) => {
    const ended = await tx
      .delete(gateways)
      .where(and(eq(gateways.id, gatewayId), eq(gateways.bootId, bootId)))
      .returning({ id: gateways.id });
    if (ended.length > 0)
      await tx.delete(gatewayAcknowledgements).where(eq(gatewayAcknowledgements.gatewayId, gatewayId));
  });
}

export interface RouteAcknowledgement {
  gatewayId: string;
  environment: Environment;
  model: string;
  storeId: string;
  epoch: number;
  /** Why the route could not be served; absent when it is. */
  error?: string;
}

/**
 * A gateway says that it serves an epoch, or why it cannot. What comes too late, about an earlier epoch of the same
 * store, changes nothing.
 */
export async function acknowledgeRoute(
  db: Database,
  { error, ...acknowledgement }: RouteAcknowledgement,
): Promise<void> {
  await db.orm
    .insert(gatewayAcknowledgements)
    .values({ ...acknowledgement, error: error ?? null })
    .onConflictDoUpdate({
      target: [gatewayAcknowledgements.gatewayId, gatewayAcknowledgements.environment, gatewayAcknowledgements.model],
      set: { storeId: acknowledgement.storeId, epoch: acknowledgement.epoch, error: error ?? null, at: sql`now()` },
      setWhere: sql`${gatewayAcknowledgements.storeId} <> ${acknowledgement.storeId}
        or ${gatewayAcknowledgements.epoch} <= ${acknowledgement.epoch}`,
    });
}

export interface LiveGateway {
  id: string;
  url: string;
  /** Epoch of the route that it last spoke of, 0 when it never did. */
  epoch: number;
  error: string | null;
  /** When it spoke of it; null when it never did. ISO 8601, UTC. */
  at: string | null;
}

/** How many gateways of an environment are live. */
export async function gatewaysAlive(db: Database, environment: Environment): Promise<number> {
  return db.orm.$count(gateways, isLiveIn(environment));
}

/**
 * The gateways of an environment that is live, and how far each is with a model's route; words about another
 * store's epochs do not count.
 */
export async function liveGateways(db: Database, environment: Environment, model: string): Promise<LiveGateway[]> {
  const rows = await db.orm
    .select({
      id: gateways.id,
      url: gateways.url,
      epoch: gatewayAcknowledgements.epoch,
      error: gatewayAcknowledgements.error,
      at: gatewayAcknowledgements.at,
    })
    .from(gateways)
    .leftJoin(
      gatewayAcknowledgements,
      and(
        eq(gatewayAcknowledgements.gatewayId, gateways.id),
        eq(gatewayAcknowledgements.environment, environment),
        eq(gatewayAcknowledgements.model, model),
        eq(gatewayAcknowledgements.storeId, await storeId(db)),
      ),
    )
    .where(isLiveIn(environment))
    .orderBy(gateways.id);
  return rows.map((row) => ({ ...row, epoch: row.epoch ?? 0, at: row.at?.toISOString() ?? null }));
}

const isLiveIn = (environment: Environment) =>
  and(
    eq(gateways.environment, environment),
    gt(gateways.heartbeatAt, sql`now() - make_interval(secs => ${gatewaySilentAfterSeconds})`),
  );
