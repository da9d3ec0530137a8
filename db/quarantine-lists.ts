import { and, desc, eq } from 'drizzle-orm';
import type { Database } from './connect.js';
import { partitions } from './schema/index.js';

type PartitionRow = typeof partitions.$inferSelect;

/** The newest record of each partition of a model, or of all models. */
export async function newestPartitionRecords(db: Database, model?: string): Promise<PartitionRow[]> {
  return db.orm
    .selectDistinctOn([partitions.model, partitions.partition])
    .from(partitions)
    .where(model === undefined ? undefined : eq(partitions.model, model))
    .orderBy(partitions.model, partitions.partition, desc(partitions.validatedAt));
}

/** Records of one partition, the newest first. */
export async function recordsOfPartition(db: Database, model: string, partition: string): Promise<PartitionRow[]> {
  return db.orm
    .select()
    .from(partitions)
    .where(and(eq(partitions.model, model), eq(partitions.partition, partition)))
    .orderBy(desc(partitions.validatedAt));
}
