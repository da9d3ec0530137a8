import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { PerdureError } from '../domain/errors.js';
import { partitionMoves } from '../domain/state-moves.js';
import type { Partition } from '../domain/partition.js';
import type { SnapshotManifest } from '../domain/snapshot.js';
import type { Database } from './connect.js';
import { lakeObjects, partitions, snapshots, watermarks } from './schema/index.js';

export type PartitionRecord = typeof partitions.$inferSelect;
export type NewPartitionRecord = Omit<typeof partitions.$inferInsert, 'validatedAt' | 'decidedBy' | 'decidedAt' | 'comment'>;

/** Stores what validation said of a partition's content. The first record of the same inputs stands; it is returned. */
export async function recordPartition(db: Database, record: NewPartitionRecord): Promise<PartitionRecord> {
  await db.orm.insert(partitions).values(record).onConflictDoNothing();
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
    .where(and(eq(partitions.model, model), eq(partitions.partition, partition), eq(partitions.inputsSha256, inputsSha256)));
  return row;
}

/** The newest records first. */
export async function partitionRecords(db: Database, model: string): Promise<PartitionRecord[]> {
  return db.orm.select().from(partitions).where(eq(partitions.model, model)).orderBy(desc(partitions.validatedAt));
}

/** A person lets a quarantined partition in, or says that it is never to be used. @throws PerdureError `not-found` when nothing of it is quarantined. */
export async function decideQuarantine(
  db: Database,
  {
    model,
    partition,
    decision,
    actor,
    comment,
  }: { model: string; partition: Partition; decision: 'released' | 'discarded'; actor: string; comment: string },
): Promise<PartitionRecord> {
  const [newest] = await db.orm
    .select()
    .from(partitions)
    .where(and(eq(partitions.model, model), eq(partitions.partition, partition), eq(partitions.state, 'quarantined')))
    .orderBy(desc(partitions.validatedAt))
    .limit(1);
  if (!newest) {
    throw new PerdureError('not-found', `Nothing of ${model} ${partition} is in quarantine. \`perdure quarantine ls\` lists what is.`, {
      model,
      partition,
    });
  }
  if (decision === 'released' && newest.fileKey === null) {
    throw new PerdureError(
      'state/conflict',
      `${model} ${partition} cannot be released: its rows break the contract, which nobody can wave through. Put a corrected file, or discard it.`,
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
        eq(partitions.inputsSha256, newest.inputsSha256),
        inArray(partitions.state, [...partitionMoves[decision]]),
      ),
    )
    .returning();
  if (!row)
    throw new PerdureError('state/conflict', `${model} ${partition} has just been decided on by somebody else: look at it again.`, {
      model,
      partition,
    });
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

export async function watermarkOf(db: Database, model: string): Promise<{ partition: Partition; runId: string } | undefined> {
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
  if (keys.length === 0) return [];
  return db.orm
    .select()
    .from(lakeObjects)
    .where(inArray(lakeObjects.key, [...keys]));
}

export async function rememberLakeObjects(db: Database, objects: readonly LakeObject[]): Promise<void> {
  if (objects.length === 0) return;
  await db.orm
    .insert(lakeObjects)
    .values([...objects])
    .onConflictDoUpdate({ target: lakeObjects.key, set: { etag: sql`excluded.etag`, sha256: sql`excluded.sha256` } });
}
