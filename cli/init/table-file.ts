import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { literalPath } from '../../domain/data/lake/literal-path.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { ElementType } from '../../domain/data/data-policy.js';
import { columnNames } from './column-names.js';

/** One column of a table that a model is to be made of. */
export interface ColumnProfile {
  name: string;
  /** As the file has it. */
  original: string;
  type: ElementType;
  nulls: number;
  distinct: number;
  /** Of texts, the length of the longest. */
  longest: number;
}

export interface TableFile {
  columns: ColumnProfile[];
  rows: number;
  /** Columns that are left out, and why. */
  leftOut: string[];
  /** The most frequent values of a column, with their shares, the greatest first; at most `limit`. */
  shares(column: string, limit: number): Promise<{ value: unknown; share: number }[]>;
  /** The first rows, as JSON has them. */
  firstRows(columns: readonly string[], count: number): Promise<Record<string, unknown>[]>;
  /** Writes the table as Parquet, one file for each value of `split` (a text), or one for all. @returns the files */
  write(folder: string, table: string, split: string | undefined): Promise<{ file: string; part: string }[]>;
  close(): void;
}

const describedSchema = z.array(z.object({ column_name: z.string(), column_type: z.string() }));
const textSchema = z.string().transform((text) => Number(text));
const countSchema = z.union([z.number(), textSchema]);

/** How a column of the file is read, by its type there; undefined for one that no model can have. */
function readAs(column: string, type: string): { type: ElementType; sql: string } | undefined {
  if (type === 'BOOLEAN') return { type: 'boolean', sql: column };
  if (/^(U?(TINYINT|SMALLINT|INTEGER)|BIGINT)$/.test(type))
    return { type: 'integer', sql: `CAST(${column} AS BIGINT)` };
  if (/^(FLOAT|DOUBLE|UBIGINT|U?HUGEINT|DECIMAL.*)$/.test(type))
    return { type: 'number', sql: `nullif(CAST(${column} AS DOUBLE), 'NaN'::DOUBLE)` };
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return { type: 'string', sql: `nullif(${column}::VARCHAR, '')` };
  if (type === 'TIMESTAMP WITH TIME ZONE') return { type: 'timestamp', sql: `timezone('UTC', ${column})` };
  if (type === 'DATE' || type.startsWith('TIMESTAMP'))
    return { type: 'timestamp', sql: `CAST(${column} AS TIMESTAMP)` };
  return undefined;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const textOf = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What to read: a CSV or Parquet file, or a query that makes an example. */
export type TableSource = { file: string } | { query: string };

interface TableOptions {
  addKey: boolean;
  addTime: boolean;
  taken: readonly string[];
}

/**
 * Reads a table once, with names and types that a model can have. A key is added where there is none, and a time.
 * @param taken names that no feature may have
 * @throws PerdureError `input/invalid`.
 */
export async function openTable(source: TableSource, options: TableOptions): Promise<TableFile> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  let columns: ColumnProfile[] = [];
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    const { columns: read, leftOut } = await readable(ask, source, options);
    await connection.run(
      `CREATE TABLE given AS SELECT ${read.map(({ sql, name }) => `${sql} AS ${quoted(name)}`).join(', ')} ` +
        `FROM ${fromText(source)}`,
    );
    const profiled = await profile(ask, read);
    columns = profiled.columns;
    return { columns, rows: profiled.rows, leftOut, shares, firstRows, write, close };
  } catch (error) {
    close();
    if (error instanceof PerdureError) throw error;
    const what = 'file' in source ? source.file : 'the example';
    throw new PerdureError('input/invalid', `${what} cannot be read: ${messageOf(error)}`);
  }

  async function shares(column: string, limit: number) {
    const rows = await ask(
      `SELECT ${quoted(column)} AS value, count(*) / sum(count(*)) OVER () AS share FROM given ` +
        `WHERE ${quoted(column)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${limit}`,
    );
    return rows.map(({ value, share }) => ({ value, share: Number(share) }));
  }

  function firstRows(wanted: readonly string[], count: number) {
    const isWhole = (name: string) => columns.some((column) => column.name === name && column.type === 'integer');
    // A BIGINT would come as a text.
    const shown = wanted.map((name) =>
      isWhole(name) ? `CAST(${quoted(name)} AS DOUBLE) AS ${quoted(name)}` : quoted(name),
    );
    return ask(`SELECT ${shown.join(', ')} FROM given LIMIT ${count}`);
  }

  async function write(folder: string, table: string, split: string | undefined) {
    await mkdir(folder, { recursive: true });
    const parts =
      split === undefined
        ? ['']
        : (await ask(`SELECT DISTINCT ${split} AS part FROM given ORDER BY 1`)).map((row) =>
            z.string().parse(row['part']),
          );
    const files: { file: string; part: string }[] = [];
    for (const part of parts) {
      const file = path.join(folder, `${[table, ...(part ? [part.replaceAll(':', '')] : [])].join('-')}.parquet`);
      const rows = split === undefined ? '' : ` WHERE ${split} = ${textOf(part)}`;
      await connection.run(`COPY (SELECT * FROM given${rows}) TO ${textOf(file)} (FORMAT parquet)`);
      files.push({ file, part });
    }
    return files;
  }
}

export const addedKey = 'row_id';
export const addedTime = 'as_of';

const today = () => `${new Date().toISOString().slice(0, 10)} 00:00:00`;

function sourceOf(file: string): string {
  const place = textOf(literalPath(path.resolve(file)));
  const kind = path.extname(file).toLowerCase();
  if (kind === '.parquet') return `read_parquet(${place}, hive_partitioning = false)`;
  if (kind === '.csv') return `read_csv(${textOf(path.resolve(file))}, sample_size = -1)`;
  throw new PerdureError('input/invalid', `${file}: the file name must end in .csv or .parquet.`, { file });
}

type Ask = (sql: string) => Promise<Record<string, unknown>[]>;
type ReadColumn = Pick<ColumnProfile, 'name' | 'original' | 'type'> & { sql: string };

const fromText = (source: TableSource): string => ('file' in source ? sourceOf(source.file) : `(${source.query})`);

/** The columns that a model can have, as they are read, and those that it cannot. */
async function readable(
  ask: Ask,
  source: TableSource,
  { addKey, addTime, taken }: TableOptions,
): Promise<{ columns: ReadColumn[]; leftOut: string[] }> {
  const described = describedSchema.parse(await ask(`DESCRIBE SELECT * FROM ${fromText(source)}`));
  const names = columnNames(
    described.map((one) => one.column_name),
    [...taken, ...(addKey ? [addedKey] : []), ...(addTime ? [addedTime] : [])],
  );
  const leftOut: string[] = [];
  const read = described.flatMap(({ column_name: original, column_type: type }, index) => {
    const found = readAs(quoted(original), type);
    if (found === undefined) leftOut.push(`${original}: a column of the type ${type}`);
    return found === undefined ? [] : [{ name: names[index] ?? original, original, ...found }];
  });
  const added: ReadColumn[] = [];
  if (addKey) added.push({ name: addedKey, original: '', type: 'integer', sql: 'row_number() OVER ()' });
  if (addTime) added.push({ name: addedTime, original: '', type: 'timestamp', sql: `TIMESTAMP ${textOf(today())}` });
  return { columns: [...added, ...read], leftOut };
}

async function profile(ask: Ask, read: readonly ReadColumn[]): Promise<{ columns: ColumnProfile[]; rows: number }> {
  const counts = read.flatMap(({ name, type }, index) => [
    `count(*) - count(${quoted(name)}) AS nulls${index}`,
    `count(DISTINCT ${quoted(name)}) AS distinct${index}`,
    `coalesce(max(length(${type === 'string' ? quoted(name) : "''"})), 0) AS longest${index}`,
  ]);
  const [counted = {}] = await ask(`SELECT count(*) AS n, ${counts.join(', ')} FROM given`);
  const number = (key: string) => countSchema.parse(counted[key]);
  const columns = read.map(({ name, original, type }, index) => ({
    ...{ name, original, type },
    nulls: number(`nulls${index}`),
    distinct: number(`distinct${index}`),
    longest: number(`longest${index}`),
  }));
  return { columns, rows: number('n') };
}
