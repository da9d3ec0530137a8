import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { GatewayEventKind } from '../../domain/serving/gateway-event.js';
import type { Environment } from '../../domain/names.js';
import type { UpkeepJob } from '../../domain/serving/retention.js';
import type { ServingGrain, ServingRole } from '../../domain/serving/serving-window.js';

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

/** What is counted together: a version under one epoch in one role. */
const servedSubject = {
  environment: text('environment').$type<Environment>().notNull(),
  model: text('model').notNull(),
  version: integer('version').notNull(),
  epoch: integer('epoch').notNull(),
  role: text('role').$type<ServingRole>().notNull().default('split'),
  cold: boolean('cold').notNull().default(false),
};

/**
 * 64 bits in the database; JavaScript numbers hold them exactly up to 2^53, three centuries of a million requests a
 * second.
 */
const servedCounts = {
  from: timestamp('from', { withTimezone: true }).notNull(),
  to: timestamp('to', { withTimezone: true }).notNull(),
  requests: bigint('requests', { mode: 'number' }).notNull(),
  errors: bigint('errors', { mode: 'number' }).notNull(),
  latency: bigint('latency', { mode: 'number' }).array().notNull(),
  scores: bigint('scores', { mode: 'number' }).array().notNull(),
};

/** What gateways counted, a second or so a row. Each is rolled up, and gone, a minute or two after it came. */
export const servingWindows = pgTable(
  'serving_windows',
  {
    /** Gateway process and a rising number: a window sent twice counts once. */
    id: text('id').primaryKey(),
    /** The id taken apart, see `servingWindowSequence`. */
    source: text('source').notNull(),
    number: bigint('number', { mode: 'number' }).notNull(),
    gatewayId: text('gateway_id').notNull(),
    ...servedSubject,
    ...servedCounts,
    receivedAt: timestamp('received_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('serving_windows_epoch').on(table.environment, table.model, table.epoch, table.version),
    index('serving_windows_received').on(table.receivedAt),
  ],
);

/**
 * How far the windows of each gateway process are rolled up: one that is sent again after its row is gone is known by
 * its number.
 */
export const servingMarks = pgTable(
  'serving_marks',
  {
    source: text('source').primaryKey(),
    number: bigint('number', { mode: 'number' }).notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('serving_marks_at').on(table.at)],
);

/**
 * Windows rolled up over all gateways: each window is in one row, that of its minute at first, later of its hour, then
 * of its day.
 */
export const servingRollups = pgTable(
  'serving_rollups',
  {
    ...servedSubject,
    grain: text('grain').$type<ServingGrain>().notNull(),
    /** Begin of the minute, hour or day (UTC) in which the windows ended, by the gateways' clocks. */
    bucket: timestamp('bucket', { withTimezone: true }).notNull(),
    ...servedCounts,
  },
  (table) => [
    primaryKey({
      name: 'serving_rollups_pk',
      columns: [
        table.environment,
        table.model,
        table.grain,
        table.bucket,
        table.version,
        table.epoch,
        table.role,
        table.cold,
      ],
    }),
    index('serving_rollups_age').on(table.grain, table.bucket),
  ],
);

/** All windows ever rolled up, one row a subject: what a look of the judge reads, whatever its stage's age. */
export const servingTotals = pgTable('serving_totals', { ...servedSubject, ...servedCounts }, (table) => [
  primaryKey({
    name: 'serving_totals_pk',
    columns: [table.environment, table.model, table.version, table.epoch, table.role, table.cold],
  }),
  index('serving_totals_age').on(table.to),
]);

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
  (table) => [
    index('gateway_events_newest').on(table.environment, table.model, table.at),
    index('gateway_events_at').on(table.at),
  ],
);

/** When each job of retention and compaction ended well last, and what it removed or merged. */
export const retentionRuns = pgTable('retention_runs', {
  job: text('job').$type<UpkeepJob>().primaryKey(),
  ranAt: timestamp('ran_at', { withTimezone: true }).notNull(),
  /** Rows or objects by what they are; of the last pass that removed any. */
  removed: jsonb('removed').$type<Record<string, number>>().notNull(),
  removedAt: timestamp('removed_at', { withTimezone: true }),
});

/**
 * Days of logs that are over and wait to be compacted, as the last pass found them: what waits for long does not get
 * on.
 */
export const compactionDays = pgTable(
  'compaction_days',
  {
    /** For people, for example `production of flight-delay`. */
    log: text('log').notNull(),
    day: text('day').notNull(),
    /** When it was first found. */
    foundAt: timestamp('found_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.day] })],
);
