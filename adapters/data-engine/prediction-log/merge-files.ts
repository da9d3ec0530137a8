import { z } from 'zod';
import { outputColumns, type LogKind } from '../../../domain/serving/prediction-log-columns.js';
import type { DuckSession } from '../duck-session.js';
import { parquetTable } from '../quote-sql.js';
import { copyLog } from './copy-log.js';
import { logTable } from './log-table.js';
import { featuresOfFiles } from './feature-columns.js';

/** Writes the rows of objects of a log as one, in the order of the files, in bounded memory. */
export async function mergeFiles(session: DuckSession, files: readonly string[], target: string): Promise<void> {
  const features = await featuresOfFiles(session, files);
  await copyLog(session, `FROM ${parquetTable(files, 'union_by_name = true')}`, target, features);
}

/** What rows are there, whatever their order: two sets of files with the same contents hold the same rows. */
export interface Contents {
  rows: number;
  /** Sum of the rows' hashes. */
  sum: bigint;
}

const contentsSchema = z.object({ rows: z.coerce.number(), sum: z.string().transform(BigInt) });
const hashed: Record<LogKind, string> = {
  predictions: `prediction_id, version, epoch, "at", ${Object.keys(outputColumns).join(', ')}, latency_ms`,
  labels: 'prediction_id, label, label_class, label_number, observed_at, received_at',
};

export async function contentsOf(session: DuckSession, kind: LogKind, files: readonly string[]): Promise<Contents> {
  const query = `SELECT count(*)::VARCHAR AS rows, coalesce(sum(hash(${hashed[kind]})), 0)::VARCHAR AS sum
    FROM ${logTable(kind, files)}`;
  const [contents] = await session.rows(query, contentsSchema);
  return contents ?? { rows: 0, sum: 0n };
}

export const together = (all: readonly Contents[]): Contents => ({
  rows: all.reduce((rows, one) => rows + one.rows, 0),
  sum: all.reduce((sum, one) => sum + one.sum, 0n),
});

export const areEqual = (left: Contents, right: Contents): boolean =>
  left.rows === right.rows && left.sum === right.sum;
