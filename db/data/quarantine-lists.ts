import { and, desc, eq } from 'drizzle-orm';
import { groupBy } from '../../domain/group-by.js';
import type { Partition } from '../../domain/partition.js';
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

/** The partitions of each model of which some content is in quarantine, whether or not it still lies in the lake. */
export async function partitionsInQuarantine(db: Database, model?: string): Promise<Map<string, Partition[]>> {
  const rows = await db.orm
    .selectDistinct({ model: partitions.model, partition: partitions.partition })
    .from(partitions)
    .where(and(eq(partitions.state, 'quarantined'), model === undefined ? undefined : eq(partitions.model, model)));
  const groups = groupBy(rows, (row) => row.model);
  return new Map([...groups].map(([name, own]) => [name, own.map(({ partition }) => partition)]));
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
