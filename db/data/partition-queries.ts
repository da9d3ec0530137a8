import { and, eq, inArray, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import { partitionMoves } from '../../domain/data/partition-moves.js';
import type { Partition } from '../../domain/partition.js';
import { storableText } from '../../domain/text/plain-text.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import type { Database } from '../connect.js';
import { lakeObjects, partitions, snapshots, watermarks } from '../schema/index.js';

/** A statement has at most 65,534 parameters. */
const keysInQuery = 10_000;

export type PartitionRecord = typeof partitions.$inferSelect;
export type NewPartitionRecord = Omit<
  typeof partitions.$inferInsert,
  'validatedAt' | 'decidedBy' | 'decidedAt' | 'comment'
>;

/** Stores what validation said of a partition's content. The first record of the same inputs stands; it is returned. */
export async function recordPartition(db: Database, record: NewPartitionRecord): Promise<PartitionRecord> {
  await db.orm
    .insert(partitions)
    .values({ ...record, summary: storableText(record.summary) })
    .onConflictDoNothing();
  const found = await partitionRecord(db, record.model, record.partition, record.inputsSha256);
  if (!found) throw new Error('an inserted row is not there');
  return found;
}

export async function partitionRecord(
  db: Database,
  model: string,
  partition: Partition,
  inputsSha256: string,
): Promise<PartitionRecord | undefined> {
  const [row] = await db.orm
    .select()
    .from(partitions)
    .where(
      and(eq(partitions.model, model), eq(partitions.partition, partition), eq(partitions.inputsSha256, inputsSha256)),
    );
  return row;
}

/** What was said of these contents of a model's partitions. */
export async function recordsOfInputs(
  db: Database,
  model: string,
  inputs: readonly string[],
): Promise<PartitionRecord[]> {
  const records: PartitionRecord[] = [];
  for (let from = 0; from < inputs.length; from += keysInQuery) {
    const asked = and(
      eq(partitions.model, model),
      inArray(partitions.inputsSha256, inputs.slice(from, from + keysInQuery)),
    );
    records.push(...(await db.orm.select().from(partitions).where(asked)));
  }
  return records;
}

const undecidable = {
  valid: 'is valid and in use: there is nothing to decide. Put another file, or remove it with `perdure data rm`',
  released: 'was released already',
  discarded: 'was discarded already',
};

/**
 * A person lets a content in that validation refused, or says that it is never to be used.
 * @throws PerdureError `state/conflict` for a content that is not quarantined.
 */
export async function decideQuarantine(
  db: Database,
  {
    model,
    partition,
    inputsSha256,
    decision,
    actor,
    comment,
  }: {
    model: string;
    partition: Partition;
    inputsSha256: string;
    decision: 'released' | 'discarded';
    actor: string;
    comment: string;
  },
): Promise<PartitionRecord> {
  const found = await partitionRecord(db, model, partition, inputsSha256);
  if (!found)
    throw new PerdureError('not-found', `The current content of ${model} ${partition} is not validated yet.`, {
      model,
      partition,
    });
  if (found.state !== 'quarantined')
    throw new PerdureError('state/conflict', `${model} ${partition} ${undecidable[found.state]}.`, {
      model,
      partition,
      state: found.state,
    });
  if (decision === 'released' && found.fileKey === null) {
    throw new PerdureError(
      'state/conflict',
      `${model} ${partition} cannot be released: no rows could be made of it that fulfil the contract (what is ` +
        `wrong: ${found.summary}) Put a corrected file, or discard it.`,
      {
        model,
        partition,
      },
    );
  }
  const [row] = await db.orm
    .update(partitions)
    .set({ state: decision, decidedBy: actor, decidedAt: sql`now()`, comment })
    .where(
      and(
        eq(partitions.model, model),
        eq(partitions.partition, partition),
        eq(partitions.inputsSha256, inputsSha256),
        inArray(partitions.state, [...partitionMoves[decision]]),
      ),
    )
    .returning();
  if (!row)
    throw new PerdureError(
      'state/conflict',
      `${model} ${partition} was just decided by somebody else: check it again.`,
      {
        model,
        partition,
      },
    );
  return row;
}

/** Stores a manifest under its digest; the same again changes nothing. */
export async function recordSnapshot(
  db: Database,
  snapshot: { sha256: string; model: string; manifestKey: string; manifest: SnapshotManifest },
): Promise<void> {
  await db.orm.insert(snapshots).values(snapshot).onConflictDoNothing();
}

/** @throws PerdureError `not-found`. */
export async function snapshotByDigest(db: Database, sha256: string): Promise<SnapshotManifest> {
  const [row] = await db.orm.select().from(snapshots).where(eq(snapshots.sha256, sha256));
  if (!row) throw new PerdureError('not-found', `No snapshot has the digest ${sha256}.`, { sha256 });
  return row.manifest;
}

export async function watermarkOf(
  db: Database,
  model: string,
): Promise<{ partition: Partition; runId: string } | undefined> {
  const [row] = await db.orm.select().from(watermarks).where(eq(watermarks.model, model));
  return row && { partition: row.partition, runId: row.runId };
}

export interface LakeObject {
  key: string;
  etag: string;
  sha256: string;
}

/** SHA-256 of lake objects that were hashed before and have the same ETag still. */
export async function knownLakeObjects(db: Database, keys: readonly string[]): Promise<LakeObject[]> {
  const known: LakeObject[] = [];
  for (let from = 0; from < keys.length; from += keysInQuery) {
    const asked = keys.slice(from, from + keysInQuery);
    known.push(...(await db.orm.select().from(lakeObjects).where(inArray(lakeObjects.key, asked))));
  }
  return known;
}

export async function forgetLakeObject(db: Database, key: string): Promise<void> {
  await db.orm.delete(lakeObjects).where(eq(lakeObjects.key, key));
}

export async function rememberLakeObjects(db: Database, objects: readonly LakeObject[]): Promise<void> {
  if (objects.length === 0) return;
  await db.orm
    .insert(lakeObjects)
    .values([...objects])
    .onConflictDoUpdate({ target: lakeObjects.key, set: { etag: sql`excluded.etag`, sha256: sql`excluded.sha256` } });
}
