import { sql } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { gatewayLeaseSeconds } from './gateway-queries.js';
import { gatewayAcknowledgements, gateways } from '../schema/index.js';

/** Every gateway with a row, whether its lease is live, and the epochs that it acknowledged. */
export async function listGateways(db: Database) {
  const [known, acknowledged] = await Promise.all([
    db.orm
      .select({
        id: gateways.id,
        environment: gateways.environment,
        url: gateways.url,
        heartbeatAt: gateways.heartbeatAt,
        live: sql<boolean>`${gateways.heartbeatAt} > now() - make_interval(secs => ${gatewayLeaseSeconds})`,
      })
      .from(gateways)
      .orderBy(gateways.environment, gateways.id),
    db.orm.select().from(gatewayAcknowledgements).orderBy(gatewayAcknowledgements.model),
  ]);
  return known.map((gateway) => ({
    ...gateway,
    routes: acknowledged
      .filter((row) => row.gatewayId === gateway.id && row.environment === gateway.environment)
      .map(({ model, epoch, error }) => ({ model, epoch, error })),
  }));
}
