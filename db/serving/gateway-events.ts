import { and, desc, eq, type SQL } from 'drizzle-orm';
import type { GatewayEvent } from '../../domain/serving/gateway-event.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { gatewayEvents } from '../schema/index.js';

/** Stores what gateways tell; an event sent twice is stored once. */
export async function insertGatewayEvents(db: Database, events: readonly GatewayEvent[]): Promise<void> {
  if (events.length === 0) return;
  await db.orm
    .insert(gatewayEvents)
    .values(events.map((event) => ({ ...event, at: new Date(event.at) })))
    .onConflictDoNothing();
}

/** Events of gateways, the newest first. */
export async function listGatewayEvents(
  db: Database,
  { environment, model, limit }: { environment?: Environment | undefined; model?: string | undefined; limit: number },
) {
  const wanted: SQL[] = [];
  if (environment !== undefined) wanted.push(eq(gatewayEvents.environment, environment));
  if (model !== undefined) wanted.push(eq(gatewayEvents.model, model));
  return db.orm
    .select()
    .from(gatewayEvents)
    .where(and(...wanted))
    .orderBy(desc(gatewayEvents.at), desc(gatewayEvents.id))
    .limit(limit);
}
