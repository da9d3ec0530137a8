import { isNull, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core';
import type { StageJudgement } from '../../domain/rollout/judge/judge.js';
import type { Environment } from '../../domain/names.js';
import type { RouteWriter } from '../../domain/serving/route-writer.js';
import type { EndOfService, RouteOverride, Shadow, Split } from '../../domain/serving/route.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import type { LateLabelReview } from '../../domain/rollout/late-label-review.js';
import type { RolloutState } from '../../domain/rollout/move-after-look.js';

/** Who may do what may be done once at a time. Every write that needs it names the token. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  /** Workflow id and first run id of the holder. */
  holder: text('holder').notNull(),
  token: bigint('token', { mode: 'number' }).notNull(),
  acquiredAt: timestamp('acquired_at', { withTimezone: true }).notNull().defaultNow(),
  /** Null while it is held. */
  releasedAt: timestamp('released_at', { withTimezone: true }),
});

/** Every route ever in force; the one with the highest epoch is. Never changed. */
export const routes = pgTable(
  'routes',
  {
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    epoch: integer('epoch').notNull(),
    /** Workflow run and step that wrote it: a repeated activity finds its own row. */
    idempotencyKey: text('idempotency_key').notNull(),
    split: jsonb('split').$type<Split>().notNull(),
    shadows: jsonb('shadows').$type<Shadow[]>().notNull().default([]),
    standby: jsonb('standby').$type<number[]>().notNull().default([]),
    overrides: jsonb('overrides').$type<RouteOverride[]>().notNull().default([]),
    reason: text('reason').notNull(),
    /** Null while the route serves; else who ended the service, and why. */
    ended: jsonb('ended').$type<EndOfService>(),
    /** What wrote it. Null in rows of version 0.1.0, whose key says it, and in rows that no workflow wrote. */
    kind: text('kind').$type<RouteWriter['kind']>(),
    /** The rollout of which it is a stage or the way back; null for a rollback. */
    rolloutId: text('rollout_id'),
    /** Who advanced, aborted or rolled back, and with which roles; null where the judge or the policy moved it. */
    actor: text('actor'),
    roles: jsonb('roles').$type<string[]>(),
    leaseToken: bigint('lease_token', { mode: 'number' }).notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.environment, table.model, table.epoch] }),
    unique('routes_idempotency_key').on(table.idempotencyKey),
    index('routes_of_model').on(table.model),
    index('routes_at_time').on(table.environment, table.model, table.at, table.epoch),
  ],
);

/**
 * The epoch in force of each route, written in the transaction that appends to `routes`: what gateways and lists read,
 * however long the history is.
 */
export const currentRoutes = pgTable(
  'current_routes',
  {
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    epoch: integer('epoch').notNull(),
    /** The environment's revision with which it came into force. */
    revision: bigint('revision', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.environment, table.model] }),
    index('current_routes_changed').on(table.environment, table.revision),
  ],
);

/**
 * What a model's routes up to an epoch say about who served by right: a sum of `routes`, so that nobody reads all of
 * them. Who needs it reads on from there. It may be emptied.
 */
export const championRecords = pgTable(
  'champion_records',
  {
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    /** The last route that is counted in. All rollouts up to it are over. */
    epoch: integer('epoch').notNull(),
    record: jsonb('record').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.environment, table.model] })],
);

/**
 * Rises with every change of an environment's routes and releases, in the order of their commits: a gateway that knows
 * the present one has nothing to read.
 */
export const routeRevisions = pgTable('route_revisions', {
  environment: text('environment').$type<Environment>().primaryKey(),
  revision: bigint('revision', { mode: 'number' }).notNull(),
  changedAt: timestamp('changed_at', { withTimezone: true }).notNull().defaultNow(),
});

/**
 * Models that gateways serve from before this database, and that a person lets go, one row an act. Never changed: what
 * a database does not know is no reason to stop serving it.
 */
export const routeReleases = pgTable(
  'route_releases',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    actor: text('actor').notNull(),
    reason: text('reason').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('route_releases_model').on(table.environment, table.model)],
);

/** Moves of a route from champion to challenger. */
export const rollouts = pgTable(
  'rollouts',
  {
    /** The first Temporal run id of the workflow. */
    id: text('id').primaryKey(),
    workflowId: text('workflow_id').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    model: text('model').notNull(),
    challenger: integer('challenger').notNull(),
    /** Null where the environment was empty. */
    champion: integer('champion'),
    /** Null for a version put into an empty environment by hand. */
    promotionId: text('promotion_id'),
    state: text('state').$type<RolloutState>().notNull(),
    /** The write order of the activity that wrote last: what an earlier one still writes is refused. */
    writeOrder: bigint('turn', { mode: 'number' }).notNull().default(0),
    /** Place of the stage, from 0. */
    stage: integer('step').notNull(),
    /** What was settled before anything moved: policy, stages and parties. Null for rollouts from before strategies. */
    settled: jsonb('settled').$type<SettledRollout>(),
    /** What late labels said after it; null until they have spoken, or where nobody asks them. */
    lateReview: jsonb('last_word').$type<LateLabelReview>(),
    reason: text('reason'),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    /** When the inputs of its looks were thinned out; null before. */
    looksThinnedAt: timestamp('looks_thinned_at', { withTimezone: true }),
  },
  (table) => [
    index('rollouts_looks_whole')
      .on(table.finishedAt)
      .where(sql`finished_at is not null and looks_thinned_at is null`),
    index('rollouts_open').on(table.id).where(isNull(table.finishedAt)),
    index('rollouts_running').on(table.environment, table.model).where(isNull(table.finishedAt)),
    index('rollouts_promotion').on(table.promotionId),
    index('rollouts_awaiting_labels')
      .on(table.finishedAt)
      .where(
        sql.raw(
          "state = 'completed' and last_word is null and settled -> 'policy' ? 'lateLabels' " +
            "and jsonb_typeof(settled -> 'parties' -> 'champion') = 'number'",
        ),
      ),
    index('rollouts_route').on(table.environment, table.model, table.startedAt, table.id),
    index('rollouts_newest').on(table.model, table.startedAt, table.id),
    index('rollouts_newest_of_all').on(table.startedAt, table.id),
    index('rollouts_newest_of_environment').on(table.environment, table.startedAt, table.id),
  ],
);

/** Each look of the judge, with what it said. */
export const rolloutLooks = pgTable(
  'rollout_looks',
  {
    rolloutId: text('rollout_id')
      .notNull()
      .references(() => rollouts.id),
    look: integer('look').notNull(),
    /** Place of the stage, from 0. */
    stage: integer('step').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
    /** SHA-256 of the canonical JSON of what it saw. */
    inputsSha256: text('inputs_sha256').notNull(),
    result: jsonb('result').$type<StageJudgement>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.rolloutId, table.look] })],
);

/**
 * What a look saw: totals of both versions and the policy. Months after a rollout, only those are left that say why it
 * moved: see `domain/rollout/telling-looks.ts`.
 */
export const lookInputs = pgTable(
  'look_inputs',
  {
    rolloutId: text('rollout_id').notNull(),
    look: integer('look').notNull(),
    inputs: jsonb('inputs').notNull(),
  },
  (table) => [primaryKey({ columns: [table.rolloutId, table.look] })],
);

/** What people said to rollouts, whether it was taken or not. */
export const rolloutSteering = pgTable(
  'rollout_steering',
  {
    /** Made by the workflow: its run and its rising count of commands. One row however often the activity runs. */
    id: text('id').primaryKey(),
    /** No reference: a rollout may be told something before it is settled. */
    rolloutId: text('rollout_id').notNull(),
    command: text('command', { enum: ['pause', 'resume', 'advance', 'abort'] }).notNull(),
    actor: text('actor').notNull(),
    /** The actor's roles at that moment; null where they could not be read. */
    roles: jsonb('roles').$type<string[]>(),
    reason: text('reason').notNull(),
    via: text('via', { enum: ['update', 'signal'] }).notNull(),
    /** Place of the stage that the rollout was in. */
    stage: integer('stage').notNull(),
    accepted: boolean('accepted').notNull(),
    /** What the rollout answered. */
    answer: text('answer').notNull(),
    /** The control API's word that this actor said so; null for what came past it. */
    signature: text('signature'),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('rollout_steering_rollout').on(table.rolloutId, table.at),
    index('rollout_steering_signature').on(table.signature),
  ],
);
