import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { literalPath } from '../../domain/data/lake/literal-path.js';
import { parquetColumnNames } from '../../domain/data/lake/parquet-columns.js';
import { parseExactly } from '../../domain/text/exact-integers.js';
import { csvRows } from './csv-rows.js';

export type Row = Record<string, unknown>;

const rowsSchema = z.union([
  z.array(z.record(z.string(), z.unknown())),
  z.object({ rows: z.array(z.record(z.string(), z.unknown())) }).transform((body) => body.rows),
]);
const describedSchema = z.array(z.object({ column_name: z.string(), column_type: z.string() }));
const nodesSchema = z.array(
  z
    .object({ name: z.string(), num_children: z.coerce.number().nullable() })
    .transform(({ name, num_children }) => ({ name, children: num_children ?? 0 })),
);

const kindOf = (file: string): string => path.extname(file).toLowerCase();

/** Whether all values of a file are texts, to be read as what is asked for. */
export const holdsTexts = (file: string): boolean => kindOf(file) === '.csv';

/**
 * Rows of a JSON file (an array of objects), or of a CSV or Parquet file, in batches of at most `batchRows`.
 * @throws PerdureError `input/invalid`.
 */
export async function* readRows(file: string, batchRows: number): AsyncGenerator<Row[]> {
  const kind = kindOf(file);
  if (kind === '.json') yield* batches(await readJson(file), batchRows);
  else if (kind === '.csv') yield* batchesOf(file, csvRows(file), batchRows);
  else if (kind === '.parquet') yield* batchesOf(file, readParquet(file), batchRows);
  else throw new PerdureError('input/invalid', `${file}: the file name must end in .json, .csv or .parquet.`, { file });
}

async function readJson(file: string): Promise<Row[]> {
  let value: unknown;
  try {
    value = parseExactly((await readFile(file, 'utf8')).replace(/^\ufeff/, ''));
  } catch (error) {
    throw unreadable(file, 'as JSON', error);
  }
  const parsed = rowsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PerdureError(
    'input/invalid',
    `${file} must contain an array of objects, one per row: [{"carrier": "UA", …}].`,
    {
      file,
    },
  );
}

async function* readParquet(file: string): AsyncGenerator<Row> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    const text = `'${literalPath(path.resolve(file)).replaceAll("'", "''")}'`;
    const source = `read_parquet(${text}, hive_partitioning = false)`;
    const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
    const names = parquetColumnNames(
      nodesSchema.parse(await rowsOf(`SELECT name, num_children FROM parquet_schema(${text})`)),
    );
    const described = describedSchema.parse(await rowsOf(`DESCRIBE SELECT * FROM ${source}`));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      throw new PerdureError('input/invalid', `${file} has two columns named ${twice}: rename one.`, {
        file,
      });
    const list = described.map(({ column_name: name, column_type: type }) =>
      valueSql(`"${name.replaceAll('"', '""')}"`, type),
    );
    const rows = await connection.stream(
      `SELECT ${list.map((sql, index) => `${sql} AS "${index}"`).join(', ')} FROM ${source}`,
    );
    for await (const chunk of rows.yieldRowsJs()) {
      for (const values of chunk) yield Object.fromEntries(names.map((name, index) => [name, plain(values[index])]));
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Values as JSON knows them; times as ISO text, with a zone only where the file has one. */
function valueSql(column: string, type: string): string {
  if (type === 'TIMESTAMP WITH TIME ZONE') return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ')`;
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) return `replace(CAST(${column} AS VARCHAR), ' ', 'T')`;
  if (type.startsWith('DECIMAL') || /^U?HUGEINT$/.test(type)) return `CAST(${column} AS DOUBLE)`;
  const items = /^(.*)\[\d*\]$/.exec(type)?.[1];
  if (items !== undefined) return `list_transform(${column}, lambda one: ${valueSql('one', items)})`;
  return /^(VARCHAR|BOOLEAN|FLOAT|DOUBLE|U?(TINYINT|SMALLINT|INTEGER|BIGINT))$/.test(type)
    ? column
    : `{'value of type': '${type.replaceAll("'", "''")}'}`;
}

/** A value of a type that JSON does not know stays an object: whoever wants a number or a text refuses it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return typeof value === 'object' && value !== null ? { ...value } : value;
}

async function* batchesOf(file: string, rows: AsyncGenerator<Row>, batchRows: number): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  try {
    for await (const row of rows) {
      batch.push(row);
      if (batch.length < batchRows) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    throw error instanceof PerdureError ? error : unreadable(file, '', error);
  }
  if (batch.length > 0) yield batch;
}

function* batches(rows: Row[], batchRows: number): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += batchRows) yield rows.slice(from, from + batchRows);
}

const unreadable = (file: string, how: string, error: unknown) =>
  new PerdureError('input/invalid', `${file} cannot be read${how && ` ${how}`}: ${messageOf(error)}`, { file });
