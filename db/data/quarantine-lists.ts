import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { Database } from '../connect.js';
import { newestFirst, toPage, type Page, type PageRequest } from '../page.js';
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

const order = newestFirst(partitions.validatedAt, partitions.model, partitions.partition, partitions.inputsSha256);

export interface QuarantineFilter extends PageRequest {
  model?: string | undefined;
  /** Also what was released or discarded. */
  decided: boolean;
}

/** Contents that validation set aside, the newest first, whether or not they still lie in the lake. */
export async function listQuarantined(
  db: Database,
  { model, decided, limit, after }: QuarantineFilter,
): Promise<Page<PartitionRow>> {
  const wanted = and(setAside, decided ? undefined : eq(partitions.state, 'quarantined'));
  const rows = await db.orm
    .select({ ...getTableColumns(partitions), key: order.key })
    .from(partitions)
    .where(and(wanted, model === undefined ? undefined : eq(partitions.model, model), order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}

/** Part of a partial index: words must stay the same in both. */
const setAside = sql`(state = 'quarantined' or decided_by is not null)`;

/** Records of one partition, the newest first. */
export async function recordsOfPartition(db: Database, model: string, partition: string): Promise<PartitionRow[]> {
  return db.orm
    .select()
    .from(partitions)
    .where(and(eq(partitions.model, model), eq(partitions.partition, partition)))
    .orderBy(desc(partitions.validatedAt))
    .limit(50);
}
