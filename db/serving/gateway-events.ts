import { and, eq, getTableColumns } from 'drizzle-orm';
import type { GatewayEvent } from '../../domain/serving/gateway-event.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { newestFirst, toPage, within, type PageRequest } from '../page.js';
import { gatewayEvents } from '../schema/index.js';

/** Stores what gateways tell; an event sent twice is stored once. */
export async function insertGatewayEvents(db: Database, events: readonly GatewayEvent[]): Promise<void> {
  if (events.length === 0) return;
  await db.orm
    .insert(gatewayEvents)
    .values(events.map((event) => ({ ...event, at: new Date(event.at) })))
    .onConflictDoNothing();
}

const order = newestFirst(gatewayEvents.at, gatewayEvents.id);

export interface GatewayEventFilter extends PageRequest {
  environment?: Environment | undefined;
  model?: string | undefined;
}

/** Events of gateways, the newest first. */
export async function listGatewayEvents(db: Database, { environment, model, limit, after }: GatewayEventFilter) {
  const wanted = and(
    environment === undefined ? undefined : eq(gatewayEvents.environment, environment),
    model === undefined ? undefined : eq(gatewayEvents.model, model),
  );
  const rows = await db.orm
    .select({ ...getTableColumns(gatewayEvents), key: order.key })
    .from(gatewayEvents)
    .where(within(wanted, order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}
