import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PerdureError } from '../domain/errors.js';

export type Row = Record<string, unknown>;

const rowsSchema = z.union([
  z.array(z.record(z.string(), z.unknown())),
  z.object({ rows: z.array(z.record(z.string(), z.unknown())) }).transform((body) => body.rows),
]);

/** Rows of a JSON file (an array of objects), or of a CSV or Parquet file, in batches of at most `batchRows`. @throws PerdureError `input/invalid`. */
export async function* readRows(file: string, batchRows: number): AsyncGenerator<Row[]> {
  const kind = path.extname(file).toLowerCase();
  if (kind === '.json') yield* batches(await readJson(file), batchRows);
  else if (kind === '.csv' || kind === '.parquet') yield* readTable(file, kind === '.csv' ? 'read_csv' : 'read_parquet', batchRows);
  else throw new PerdureError('input/invalid', `${file}: its name must end in .json, .csv or .parquet.`, { file });
}

async function readJson(file: string): Promise<Row[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new PerdureError('input/invalid', `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`, {
      file,
    });
  }
  const parsed = rowsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PerdureError('input/invalid', `${file} must hold an array of objects, one a row: [{"carrier": "UA", …}].`, { file });
}

async function* readTable(file: string, reader: 'read_csv' | 'read_parquet', batchRows: number): AsyncGenerator<Row[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    const rows = await connection.stream(`select * from ${reader}('${file.replaceAll("'", "''")}')`);
    for await (const chunk of rows.yieldRowObjectJs()) yield* batches(chunk.map(plain), batchRows);
  } catch (error) {
    if (error instanceof PerdureError) throw error;
    throw new PerdureError('input/invalid', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { file });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function* batches(rows: Row[], batchRows: number): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += batchRows) yield rows.slice(from, from + batchRows);
}

/** Values as JSON knows them: 64-bit integers as numbers, times as ISO text. */
function plain(row: Record<string, unknown>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : value instanceof Date ? value.toISOString() : value,
    ]),
  );
}
