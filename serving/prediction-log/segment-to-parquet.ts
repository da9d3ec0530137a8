import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteName, quotePath, quoteText } from '../../adapters/data-engine/quote.js';
import { logColumns, type LogKind } from '../../domain/serving/served-log.js';
import { packedMark, rowsOfLine } from './packed-line.js';
import { readPackedLine } from './read-packed-line.js';
import { PackedLineStages } from './stage-packed-lines.js';

const countSchema = z.object({ rows: z.coerce.number() });
const newline = 10;

/**
 * Writes a spool segment as Parquet; lines that are torn or damaged are left out and counted. The same segment gives
 * the same bytes.
 * @param folder where the file is written and DuckDB may spill
 */
export async function segmentToParquet(
  kind: LogKind,
  segment: string,
  parquet: string,
  folder: string,
): Promise<{ rows: number; torn: number }> {
  const bytes = await readFile(segment);
  // Between packed lines, those of single rows are read from a file of their own.
  const plain = bytes.includes(packedMark) ? path.join(folder, `${randomUUID()}.ndjson`) : segment;
  const session = await openDuckSession({ folder, readable: [segment], threads: 1, memoryLimitMb: 512 });
  try {
    const stored = Object.entries(logColumns[kind]).map(
      ([name, type]) => `${quoteName(name)} ` + `${type === 'JSON' ? 'VARCHAR' : type}`,
    );
    await session.run(`CREATE TABLE segment (${stored.join(', ')})`);
    const expected = plain === segment ? countLines(bytes) : await insertPackedLines(session, bytes, plain);
    await session.run(`INSERT INTO segment ${linesQuery(kind, plain)}`);
    const [counted] = await session.rows('SELECT count(*)::VARCHAR AS rows FROM segment', countSchema);
    const rows = counted?.rows ?? 0;
    if (rows > 0)
      await session.run(
        `COPY segment TO ${quoteText(parquet)} (FORMAT parquet, COMPRESSION ` + 'zstd, COMPRESSION_LEVEL 1)',
      );
    return { rows, torn: Math.max(0, expected - rows) };
  } finally {
    session.close();
    if (plain !== segment) await rm(plain, { force: true });
  }
}

/**
 * Puts the rows of all packed lines into the table and all other lines into the file `rest`.
 * @returns the rows that the segment should hold, those of lines that cannot be read included
 */
async function insertPackedLines(session: DuckSession, segment: Buffer, rest: string): Promise<number> {
  const stages = new PackedLineStages(session);
  const others: Buffer[] = [];
  let expected = 0;
  for (const line of linesOf(segment)) {
    const isPacked = line.toString('latin1', 0, packedMark.length) === packedMark;
    const packed = isPacked ? readPackedLine(line.toString('utf8')) : undefined;
    expected += packed?.rows ?? rowsOfLine(line.toString('utf8'));
    if (packed !== undefined) await stages.add(packed);
    else if (!isPacked) others.push(line);
  }
  for (const query of await stages.queries()) await session.run(`INSERT INTO segment ${query}`);
  await writeFile(rest, others.join('\n'), { flag: 'wx' });
  return expected;
}

function linesQuery(kind: LogKind, file: string): string {
  const columns = Object.entries(logColumns[kind]);
  const types = columns.map(([name, type]) => `${quoteName(name)}: '${type}'`).join(', ');
  const names = columns
    .map(([name, type]) => (type === 'JSON' ? `${quoteName(name)}::VARCHAR` : quoteName(name)))
    .join(', ');
  const read =
    `read_json(${quotePath(file)}, hive_partitioning = false, format = 'newline_delimited', ` +
    `ignore_errors = true, columns = {${types}})`;
  return `SELECT ${names} FROM ${read} WHERE prediction_id IS NOT NULL`;
}

/** Lines without their ends, a last one that has none included. */
function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(newline, at);
    const to = end === -1 ? bytes.length : end;
    yield bytes.subarray(at, to);
    at = to + 1;
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (const _line of linesOf(bytes)) lines += 1;
  return lines;
}
