import { rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Contract } from '../../../../domain/data/contract.js';
import type { DuckSession } from '../../duck-session.js';
import { parquetTable, quoteName, quoteText } from '../../quote-sql.js';
import { fileDigest } from '../write-partition.js';

export interface WrittenRows {
  path: string;
  sha256: string;
  bytes: number;
  positives: number;
}

const positivesSchema = z.object({ positives: z.coerce.number() });

/**
 * Writes some rows of a shaped file, in the file's order, named by their SHA-256.
 * @param session with one thread, so that the same rows give the same bytes
 * @param positions a query of their places in the file, counted from 1
 */
export async function writeRows(
  session: DuckSession,
  { file, positions, contract, folder }: { file: string; positions: string; contract: Contract; folder: string },
): Promise<WrittenRows> {
  const written = path.join(folder, 'part.parquet');
  const place = quoteName('row:');
  await session.run(
    `COPY (SELECT * EXCLUDE (${place}) FROM (SELECT *, row_number() OVER () AS ${place} ` +
      `FROM ${parquetTable(file)}) WHERE ${place} IN (${positions}) ORDER BY ${place}) TO ${quoteText(written)} ` +
      '(FORMAT parquet, COMPRESSION zstd)',
  );
  const [count] = await session.rows(
    `SELECT ${positivesSql(contract)} AS positives FROM ${parquetTable(written)}`,
    positivesSchema,
  );
  const sha256 = await fileDigest(written);
  const target = path.join(folder, `${sha256}.parquet`);
  await rename(written, target);
  const { size: bytes } = await stat(target);
  return { path: target, sha256, bytes, positives: count?.positives ?? 0 };
}

const positivesSql = ({ label }: Contract): string =>
  label?.type === 'boolean' ? `count(*) FILTER (WHERE ${quoteName(label.name)})` : '0';
