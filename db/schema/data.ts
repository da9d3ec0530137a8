import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { ColumnProfile, SnapshotManifest } from '../../domain/data/snapshot.js';

/** A partition's content as it was validated: one row per set of inputs, so a corrected file gets a row of its own. */
export const partitions = pgTable(
  'partitions',
  {
    model: text('model').notNull(),
    partition: text('partition').notNull(),
    /** Digest of the source objects, contract and data policy. */
    inputsSha256: text('inputs_sha256').notNull(),
    state: text('state', { enum: ['valid', 'quarantined', 'released', 'discarded'] }).notNull(),
    reportKey: text('report_key').notNull(),
    /** First lines of the report, for lists. */
    summary: text('summary').notNull(),
    /** Null for a partition of which no rows could be shaped. */
    fileKey: text('file_key'),
    fileSha256: text('file_sha256'),
    bytes: bigint('bytes', { mode: 'number' }),
    rows: integer('rows').notNull(),
    positives: integer('positives').notNull(),
    profile: jsonb('profile').$type<ColumnProfile[]>(),
    validatedAt: timestamp('validated_at', { withTimezone: true }).notNull().defaultNow(),
    /** Who released or discarded it, and why; null until somebody does. */
    decidedBy: text('decided_by'),
    decidedAt: timestamp('decided_at', { withTimezone: true }),
    comment: text('comment'),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.partition, table.inputsSha256] }),
    index('partitions_newest').on(table.model, table.validatedAt),
  ],
);

/** Training sets, by the digest of their manifest. Never changed. */
export const snapshots = pgTable('snapshots', {
  sha256: text('sha256').primaryKey(),
  model: text('model').notNull(),
  manifestKey: text('manifest_key').notNull(),
  manifest: jsonb('manifest').$type<SnapshotManifest>().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/** The last partition that a finished run used. Moved in the transaction that records the run's result. */
export const watermarks = pgTable('watermarks', {
  model: text('model').primaryKey(),
  partition: text('partition').notNull(),
  runId: text('run_id').notNull(),
  movedAt: timestamp('moved_at', { withTimezone: true }).notNull().defaultNow(),
});

/**
 * Changes of the lake that the control API made, with who and why. Until one is done, the store holds more than what
 * counts: see `domain/data/lake-change.ts`. The files of a place are put there and removed one by one; what counts
 * changes with one update of `step`.
 */
export const lakeChanges = pgTable(
  'lake_changes',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    model: text('model').notNull(),
    /** The partition, or the whole table: one change at a time. */
    prefix: text('prefix').notNull(),
    /** The object that lands; null when it was there before or nothing lands. */
    key: text('key'),
    /** Keys of the objects that it takes the place of. */
    replaced: text('replaced').array().notNull(),
    step: text('step', { enum: ['landing', 'taking-over', 'done', 'abandoned'] }).notNull(),
    actor: text('actor').notNull(),
    reason: text('reason'),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('lake_changes_newest').on(table.model, table.id),
    index('lake_changes_open')
      .on(table.model, table.prefix)
      .where(sql`step IN ('landing', 'taking-over')`),
  ],
);

/** Content digests of objects in the lake, so that an unchanged one is not read again. A cache: it may be emptied. */
export const lakeObjects = pgTable('lake_objects', {
  key: text('key').primaryKey(),
  etag: text('etag').notNull(),
  sha256: text('sha256').notNull(),
});
