import { boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { GatewayEventKind } from '../../domain/serving/gateway-event.js';
import type { Environment } from '../../domain/names.js';
import type { ServingRole } from '../../domain/serving/serving-window.js';

/** Gateway processes; one whose heartbeat is recent has a live lease. */
export const gateways = pgTable('gateways', {
  id: text('id').primaryKey(),
  environment: text('environment').$type<Environment>().notNull(),
  url: text('url').notNull(),
  /** New each time the process starts. */
  bootId: text('boot_id').notNull(),
  heartbeatAt: timestamp('heartbeat_at', { withTimezone: true }).notNull().defaultNow(),
});

/** The last epoch of each route that a gateway serves, or why it could not. */
export const gatewayAcknowledgements = pgTable(
  'gateway_acknowledgements',
  {
    gatewayId: text('gateway_id').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    storeId: text('store_id').notNull(),
    epoch: integer('epoch').notNull(),
    /** Null when the route is served. */
    error: text('error'),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.gatewayId, table.environment, table.model] })],
);

/** What gateways counted, a few seconds a row. */
export const servingWindows = pgTable(
  'serving_windows',
  {
    /** Gateway process and a rising number: a window sent twice counts once. */
    id: text('id').primaryKey(),
    gatewayId: text('gateway_id').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    version: integer('version').notNull(),
    epoch: integer('epoch').notNull(),
    role: text('role').$type<ServingRole>().notNull().default('split'),
    cold: boolean('cold').notNull().default(false),
    from: timestamp('from', { withTimezone: true }).notNull(),
    to: timestamp('to', { withTimezone: true }).notNull(),
    requests: integer('requests').notNull(),
    errors: integer('errors').notNull(),
    latency: jsonb('latency').$type<number[]>().notNull(),
    scores: jsonb('scores').$type<number[]>().notNull(),
  },
  (table) => [index('serving_windows_epoch').on(table.environment, table.model, table.epoch, table.version)],
);

/** What happened at gateways that a person should know: a version taken out of service, a model file refused. */
export const gatewayEvents = pgTable(
  'gateway_events',
  {
    /** Gateway process and a rising number: an event sent twice is stored once. */
    id: text('id').primaryKey(),
    gatewayId: text('gateway_id').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    /** Null where it concerns the whole model. */
    version: integer('version'),
    kind: text('kind').$type<GatewayEventKind>().notNull(),
    message: text('message').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
  },
  (table) => [index('gateway_events_newest').on(table.environment, table.model, table.at)],
);
