import { isNotNull, isNull, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core';
import type { Cause } from '../../domain/cause.js';
import type { Metrics } from '../../domain/metrics/measured.js';
import type { GateResult } from '../../domain/evaluation/gate-result.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import type { Environment } from '../../domain/names.js';
import type { RunOutcome } from '../../domain/training/run.js';
import type { Lineage, TensorInterface } from '../../domain/model/model-version.js';
import { definitions, models } from './definitions.js';
import { beganLate, scheduleOf } from './late-run.js';
import { snapshots } from './data.js';

/** Executions of the training pipeline. */
export const runs = pgTable(
  'runs',
  {
    /** The first Temporal run id of the workflow: stable over retries and continue-as-new. */
    id: text('id').primaryKey(),
    workflowId: text('workflow_id').notNull(),
    model: text('model').notNull(),
    definitionSha256: text('definition_sha256')
      .notNull()
      .references(() => definitions.sha256),
    cause: jsonb('cause').$type<Cause>().notNull(),
    /** The last partition asked for; null for the newest there is. */
    until: text('until'),
    /** Whose data it takes; null in runs of before, which took production's. */
    environment: text('environment').$type<Environment>(),
    /** Of that data, so many rows; null for all of them. */
    sample: jsonb('sample').$type<SampleOrder>(),
    /** Which runs go first, 1 before 5; see `domain/training/run-priority.ts`. */
    priority: smallint('priority').notNull().default(3),
    /** The time of the firing that began it; null where no schedule did. */
    scheduledFor: timestamp('scheduled_for', { withTimezone: true }),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
    /** When it last asked for its turn among the runs of its model; null before. */
    askedAt: timestamp('asked_at', { withTimezone: true }),
    /** When its turn came; null while it waits for other runs of its model. */
    admittedAt: timestamp('admitted_at', { withTimezone: true }),
    /** Null while the run goes on; the outcome too. */
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    outcome: text('outcome').$type<RunOutcome>(),
    /** Why it ended so, in words. */
    reason: text('reason'),
    /** Null until the step that makes it is done. */
    snapshotSha256: text('snapshot_sha256').references(() => snapshots.sha256),
    artifactSha256: text('artifact_sha256'),
    evaluationKey: text('evaluation_key'),
    metrics: jsonb('metrics').$type<Metrics>(),
    gates: jsonb('gates').$type<GateResult[]>(),
  },
  (table) => [
    index('runs_open').on(table.id).where(isNull(table.finishedAt)),
    index('runs_waiting').on(table.model, table.priority, table.startedAt).where(isNull(table.finishedAt)),
    index('runs_newest').on(table.model, table.startedAt, table.id),
    index('runs_newest_of_all').on(table.startedAt, table.id),
    index('runs_of_schedules')
      .on(table.model, scheduleOf(table), table.scheduledFor)
      .where(isNotNull(table.scheduledFor)),
    index('runs_results')
      .on(table.model, table.definitionSha256, table.startedAt)
      .where(sql`outcome in ('registered', 'gate-not-passed', 'unchanged') and until is null and sample is null`),
    index('runs_late').on(table.model, scheduleOf(table), table.scheduledFor).where(beganLate(table)),
  ],
);

/** Versions that somebody put away or brought back, one row an act; the newest counts. Never changed. */
export const versionArchivals = pgTable(
  'version_archivals',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    model: text('model').notNull(),
    version: integer('version').notNull(),
    archived: boolean('archived').notNull(),
    actor: text('actor').notNull(),
    reason: text('reason').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('version_archivals_newest').on(table.model, table.version, table.id)],
);

/** How far a run came: one row a step, written when the step starts and again when it ends. */
export const runSteps = pgTable(
  'run_steps',
  {
    runId: text('run_id').notNull(),
    step: text('step').notNull(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
    /** The write order of the attempt that has the step: what an earlier one still writes is refused. */
    writeOrder: bigint('turn', { mode: 'number' }).notNull().default(0),
    /** Null while the step goes on. */
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    /** What it made, in words. */
    summary: text('summary'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.step] })],
);

/** The registry. A row is never changed; what happens to a version later is recorded elsewhere. */
export const versions = pgTable(
  'versions',
  {
    model: text('model')
      .notNull()
      .references(() => models.name),
    version: integer('version').notNull(),
    runId: text('run_id')
      .notNull()
      .references(() => runs.id),
    definitionSha256: text('definition_sha256').notNull(),
    snapshotSha256: text('snapshot_sha256').notNull(),
    artifactSha256: text('artifact_sha256').notNull(),
    artifactKey: text('artifact_key').notNull(),
    signature: jsonb('signature').$type<TensorInterface>().notNull(),
    metrics: jsonb('metrics').$type<Metrics>().notNull(),
    gates: jsonb('gates').$type<GateResult[]>().notNull(),
    evaluationKey: text('evaluation_key').notNull(),
    /**
     * The score from which it answers `true`, as its evaluation settled it; null in versions of 0.1.0:
     * `classThreshold` says what counts there.
     */
    threshold: doublePrecision('threshold'),
    lineage: jsonb('lineage').$type<Lineage>().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    unique('versions_one_per_run').on(table.runId),
    index('versions_trained_alike').on(table.model, table.definitionSha256, table.snapshotSha256),
  ],
);
