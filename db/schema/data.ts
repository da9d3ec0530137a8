import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, timestamp, unique } from 'drizzle-orm/pg-core';
import type { ManifestFile } from '../../domain/data/lake/lake-manifest.js';
import type { ColumnProfile, SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';

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
    index('partitions_set_aside')
      .on(table.validatedAt, table.model, table.partition, table.inputsSha256)
      .where(sql`(state = 'quarantined' or decided_by is not null)`),
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
 * Where the lake's places stand: one row for each place (a partition of a table, or a whole table) that `data put` or
 * `data rm` has touched. What counts in a place changes with the one update of its row: see
 * `domain/data/lake/lake-manifest.ts`.
 */
export const lakePlaces = pgTable(
  'lake_places',
  {
    /** The folder of the place: `lake/MODEL/TABLE/month=YYYY-MM/` for example, or `lake/MODEL/TABLE/`. */
    prefix: text('prefix').primaryKey(),
    model: text('model').notNull(),
    table: text('table_name').notNull(),
    /** Null for a table without partitions. */
    partition: text('partition'),
    /** Rises by one with every change. */
    generation: integer('generation').notNull(),
    /** The manifest: the files that count. Null where the place is ruled by what lies there. */
    files: jsonb('files').$type<ManifestFile[]>(),
    actor: text('actor').notNull(),
    reason: text('reason'),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('lake_places_newest').on(table.model, table.table, table.partition)],
);

/** Who changed a place of the lake, how and why: one row for each generation. */
export const lakeChanges = pgTable(
  'lake_changes',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    model: text('model').notNull(),
    prefix: text('prefix').notNull(),
    /** Null in rows of before there were manifests. */
    generation: integer('generation'),
    /** Keys of the files that count from then on; null when what lies there counts. */
    keys: text('keys').array(),
    /** Keys of the objects that no longer count. */
    replaced: text('replaced').array().notNull(),
    actor: text('actor').notNull(),
    reason: text('reason'),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('lake_changes_newest').on(table.model, table.id),
    unique('lake_changes_one_a_generation').on(table.prefix, table.generation),
  ],
);

/**
 * Objects that lie in the lake and do not count: uploads that no manifest names yet, and what a manifest no longer
 * names. Retention removes them.
 */
export const lakeUncounted = pgTable(
  'lake_uncounted',
  {
    key: text('key').primaryKey(),
    model: text('model').notNull(),
    prefix: text('prefix').notNull(),
    why: text('why', { enum: ['landing', 'superseded'] }).notNull(),
    /** Of a superseded object: another tag or time means that somebody has put the key again. Null for an upload. */
    etag: text('etag'),
    modifiedAt: text('modified_at'),
    since: timestamp('since', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('lake_uncounted_of_model').on(table.model, table.prefix),
    index('lake_uncounted_oldest').on(table.since),
  ],
);

/** Content digests of objects in the lake, so that an unchanged one is not read again. A cache: it may be emptied. */
export const lakeObjects = pgTable('lake_objects', {
  key: text('key').primaryKey(),
  etag: text('etag').notNull(),
  sha256: text('sha256').notNull(),
});
