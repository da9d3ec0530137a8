import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Contract } from '../../../domain/data/contract.js';
import { labelColumns } from '../../../domain/data/label.js';
import { valueTypeOf } from '../../../domain/data/feature/feature-value.js';
import type { ColumnProfile } from '../../../domain/data/snapshot/snapshot.js';
import type { DuckSession, DuckSessionOptions, SessionOpener } from '../duck-session.js';
import { profileColumns } from './profile-columns.js';
import { parquetTable, quoteName, quoteText } from '../quote-sql.js';
import { shapedTable, type ShapedColumn, type ShapedType } from './shape-rows.js';

export interface WrittenPartition {
  path: string;
  sha256: string;
  bytes: number;
  rows: number;
  positives: number;
  profile: ColumnProfile[];
}

const parquetTypes = {
  integer: 'BIGINT',
  number: 'DOUBLE',
  float: 'FLOAT',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  boolean: 'BOOLEAN',
  'float[]': 'FLOAT[]',
  'integer[]': 'BIGINT[]',
  'number[]': 'DOUBLE[]',
  'string[]': 'VARCHAR[]',
  'timestamp[]': 'TIMESTAMP[]',
  'boolean[]': 'BOOLEAN[]',
} as const satisfies Record<ShapedType, string>;

const totalsSchema = z.object({ rows: z.coerce.number(), positives: z.coerce.number() });

/**
 * Writes the shaped rows to `outDir`, named by their SHA-256: sorted by event time, entity and features, on one thread,
 * so that the same rows give the same bytes in whatever order they came.
 */
export async function writePartition(
  session: DuckSession,
  options: Omit<DuckSessionOptions, 'threads'> & {
    openSession: SessionOpener;
    outDir: string;
    contract: Contract;
    columns: readonly ShapedColumn[];
  },
): Promise<WrittenPartition> {
  const { openSession, outDir, contract, columns, ...limits } = options;
  const { folder } = limits;
  const staged = path.join(folder, 'staged.parquet');
  const written = path.join(folder, 'partition.parquet');
  await session.run(`COPY ${shapedTable} TO ${quoteText(staged)} (FORMAT parquet, COMPRESSION uncompressed)`);
  // A second session, because expressions were evaluated in the first and its settings are locked.
  const writer = await openSession({ ...limits, threads: 1 });
  try {
    const selected = columns
      .map(({ name, type }) => `TRY_CAST(${quoteName(name)} AS ${parquetTypes[type]}) AS ${quoteName(name)}`)
      .join(', ');
    const order = sortOrder(contract, columns)
      .map((name) => `${quoteName(name)} ASC NULLS LAST`)
      .join(', ');
    await writer.run(
      `COPY (SELECT ${selected} FROM ${parquetTable(staged)} ORDER BY ${order}) TO ${quoteText(written)} ` +
        '(FORMAT parquet, COMPRESSION zstd)',
    );
    const source = parquetTable(written);
    const positive = contract.label?.type === 'boolean' ? quoteName(contract.label.name) : 'false';
    const [totals] = await writer.rows(
      `SELECT count(*) AS rows, count(*) FILTER (WHERE ${positive}) AS positives FROM ${source}`,
      totalsSchema,
    );
    const features = columns.flatMap(({ name }) => {
      const feature = contract.features[name];
      return feature ? [{ name, type: valueTypeOf(feature) }] : [];
    });
    const profile = await profileColumns(writer, source, features);
    const sha256 = await fileDigest(written);
    const { size: bytes } = await stat(written);
    const target = path.join(outDir, `${sha256}.parquet`);
    await rename(written, target);
    return { path: target, sha256, bytes, rows: totals?.rows ?? 0, positives: totals?.positives ?? 0, profile };
  } finally {
    writer.close();
    await rm(staged, { force: true });
  }
}

function sortOrder(contract: Contract, columns: readonly ShapedColumn[]): string[] {
  const present = new Set(columns.map(({ name }) => name));
  const wanted = [contract.eventTime, ...contract.entity, ...Object.keys(contract.features), ...labelColumns(contract)];
  return [...new Set(wanted)].filter((name) => present.has(name));
}

/** SHA-256 of a file as 64 lower-case hex digits. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
