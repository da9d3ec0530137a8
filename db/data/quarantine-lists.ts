import { and, desc, eq } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { partitions } from '../schema/index.js';

type PartitionRow = typeof partitions.$inferSelect;

/** The newest record of each partition of a model, or of all models. */
export async function newestPartitionRecords(db: Database, model?: string): Promise<PartitionRow[]> {
  return db.orm
    .selectDistinctOn([partitions.model, partitions.partition])
    .from(partitions)
    .where(model === undefined ? undefined : eq(partitions.model, model))
    .orderBy(partitions.model, partitions.partition, desc(partitions.validatedAt));
}

/** The models that have something in quarantine, whether or not it still lies in the lake. */
export async function modelsWithQuarantine(db: Database): Promise<string[]> {
  const rows = await db.orm
    .selectDistinct({ model: partitions.model })
    .from(partitions)
    .where(eq(partitions.state, 'quarantined'));
  return rows.map(({ model }) => model);
}

/** Records of one partition, the newest first. */
export async function recordsOfPartition(db: Database, model: string, partition: string): Promise<PartitionRow[]> {
  return db.orm
    .select()
    .from(partitions)
    .where(and(eq(partitions.model, model), eq(partitions.partition, partition)))
    .orderBy(desc(partitions.validatedAt))
    .limit(50);
}
