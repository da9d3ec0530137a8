import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { openDuckSession } from '../adapters/data-engine/duck-session.js';
import { quoteName, quoteText } from '../adapters/data-engine/quote.js';
import { logColumns, type LogKind } from '../domain/served-log.js';
import { unpackedSegment } from './unpacked-segment.js';

const countSchema = z.object({ rows: z.coerce.number() });

/**
 * Writes a spool segment as Parquet; lines that are torn or damaged are left out and counted. The same segment gives the same bytes.
 * @param folder where the file is written and DuckDB may spill
 */
export async function segmentToParquet(
  kind: LogKind,
  segment: string,
  parquet: string,
  folder: string,
): Promise<{ rows: number; torn: number }> {
  const bytes = await readFile(segment);
  const unpacked = await unpackedSegment(bytes, folder);
  const lines = unpacked?.lines ?? countLines(bytes);
  const source = unpacked?.file ?? segment;
  const session = await openDuckSession({ folder, readable: [source], threads: 1, memoryLimitMb: 512 });
  try {
    const types = Object.entries(logColumns[kind])
      .map(([name, type]) => `${quoteName(name)}: '${type}'`)
      .join(', ');
    const names = Object.entries(logColumns[kind])
      .map(([name, type]) => (type === 'JSON' ? `${quoteName(name)}::VARCHAR AS ${quoteName(name)}` : quoteName(name)))
      .join(', ');
    const read = `read_json(${quoteText(source)}, format = 'newline_delimited', ignore_errors = true, columns = {${types}})`;
    await session.run(`CREATE TABLE segment AS SELECT ${names} FROM ${read} WHERE prediction_id IS NOT NULL`);
    const [counted] = await session.rows('SELECT count(*)::VARCHAR AS rows FROM segment', countSchema);
    const rows = counted?.rows ?? 0;
    if (rows > 0) await session.run(`COPY segment TO ${quoteText(parquet)} (FORMAT parquet, COMPRESSION zstd)`);
    return { rows, torn: Math.max(0, lines - rows) };
  } finally {
    session.close();
    if (unpacked !== undefined) await rm(unpacked.file, { force: true });
  }
}

/** Lines, a last one without its end included. */
function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? lines + 1 : lines;
}
