import { inArray, sql } from 'drizzle-orm';
import { groupBy } from '../../domain/group-by.js';
import type { Database } from '../connect.js';
import { gatewaySilentAfterSeconds } from './gateway-queries.js';
import { smallestFirst, toPage, type PageRequest } from '../page.js';
import { gatewayAcknowledgements, gateways } from '../schema/index.js';

const order = smallestFirst(gateways.environment, gateways.id);

/** Gateways by environment and name, whether each is live, and the epochs that it acknowledged. */
export async function listGateways(db: Database, { limit, after }: PageRequest) {
  const known = await db.orm
    .select({
      id: gateways.id,
      environment: gateways.environment,
      url: gateways.url,
      heartbeatAt: gateways.heartbeatAt,
      live: sql<boolean>`${gateways.heartbeatAt} > now() - make_interval(secs => ${gatewaySilentAfterSeconds})`,
      key: order.key,
    })
    .from(gateways)
    .where(order.after(after))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  const { items, next } = toPage(known, limit);
  const { gatewayId, environment, model, epoch, error } = gatewayAcknowledgements;
  const ids = items.map(({ id }) => id);
  const acknowledged = await db.orm
    .select({ gatewayId, environment, model, epoch, error })
    .from(gatewayAcknowledgements)
    .where(inArray(gatewayId, ids))
    .orderBy(model);
  const byGateway = groupBy(acknowledged, (row) => `${row.environment} ${row.gatewayId}`);
  return {
    items: items.map((gateway) => ({
      ...gateway,
      routes: (byGateway.get(`${gateway.environment} ${gateway.id}`) ?? []).map((row) => ({
        ...{ model: row.model, epoch: row.epoch, error: row.error },
      })),
    })),
    next,
  };
}
