import { mkdir, realpath } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import type { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import { literalPath } from '../../domain/data/lake/literal-path.js';
import { appendColumns, type AppendedColumn } from './append-columns.js';
import { OfferedColumns, type OfferedColumn } from './offered-columns.js';
import { quoteText } from './quote-sql.js';

export interface DuckSession {
  /** Runs one statement. @throws the database's error, or the signal's reason when it was aborted. */
  run(sql: string, parameters?: DuckDBValue[]): Promise<void>;
  /** Runs one query and parses each row. 64-bit integers and timestamps arrive as text: coerce them in the schema. */
  rows<Row>(sql: string, rowSchema: z.ZodType<Row>, parameters?: DuckDBValue[]): Promise<Row[]>;
  /** Appends rows, given column by column in the order of the table's: far cheaper than statements. */
  append(table: string, columns: readonly AppendedColumn[]): Promise<void>;
  close(): void;
}

/** A session in this process. */
export interface LocalDuckSession extends DuckSession {
  /** Lets queries read these columns as `FROM offered('name')`, until they are taken back. */
  offer(name: string, columns: readonly OfferedColumn[]): void;
  takeBackAll(): void;
}

export interface DuckSessionOptions {
  /** An existing folder that the session may write to; DuckDB spills there. */
  folder: string;
  /** Absolute paths of files outside `folder` that may be read. */
  readable?: readonly string[];
  /** 1 makes written files byte-identical. */
  threads?: number;
  memoryLimitMb?: number;
  signal?: AbortSignal | undefined;
}

export type SessionOpener = (options: DuckSessionOptions) => Promise<DuckSession>;

const interruptEveryMs = 20;

/**
 * Opens an in-memory DuckDB that can reach nothing but `folder` and `readable`, loads no extension, counts time in UTC
 * and cannot be reconfigured by the SQL that it runs. Queries run off the event loop.
 */
export async function openDuckSession(options: DuckSessionOptions): Promise<LocalDuckSession> {
  const { signal, threads = 2, memoryLimitMb = 1024, readable = [] } = options;
  signal?.throwIfAborted();
  const folder = await realpath(options.folder);
  const spill = `${folder}/spill`;
  await mkdir(spill, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryLimitMb}MB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
    temp_directory: spill,
  });
  const connection = await instance.connect();

  async function interruptible<T>(work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    // An interrupt that comes between two steps of a query is forgotten, so it is repeated until the query has ended.
    const interrupt = () => {
      connection.interrupt();
      timer = setInterval(() => connection.interrupt(), interruptEveryMs);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      const result = await work();
      signal?.throwIfAborted();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      throw named(error, memoryLimitMb);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      clearInterval(timer);
    }
  }

  let offered: OfferedColumns | undefined;
  const session: LocalDuckSession = {
    run: (sql, parameters) =>
      interruptible(async () => {
        await connection.run(sql, parameters);
      }),
    rows: (sql, rowSchema, parameters) =>
      interruptible(async () => {
        const reader = await connection.runAndReadAll(sql, parameters);
        return reader.getRowObjectsJson().map((row) => rowSchema.parse(row));
      }),
    append: (table, columns) => interruptible(() => appendColumns(connection, table, columns)),
    offer: (name, columns) => {
      offered ??= new OfferedColumns(connection);
      offered.set(name, columns);
    },
    takeBackAll: () => offered?.clear(),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
  try {
    await session.run(`SET TimeZone = 'UTC'`);
    // A path is checked as it is written in the query, and again as the file that was found.
    const both = (paths: readonly string[]) =>
      [...new Set(paths.flatMap((one) => [one, literalPath(one)]))].map(quoteText).join(', ');
    await session.run(`SET allowed_directories = [${both([folder])}]`);
    await session.run(`SET allowed_paths = [${both(readable)}]::VARCHAR[]`);
    await session.run('SET enable_external_access = false');
    await session.run('SET lock_configuration = true');
  } catch (error) {
    session.close();
    throw error;
  }
  return session;
}

/**
 * Whether the database refused a query for what it says or for the data it met, rather than for the machine or an
 * interruption.
 */
export function isQueryError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    /^(Binder|Catalog|Conversion|Invalid Input|Out of Range|Parser|Not implemented|Mismatch Type) Error/.test(
      error.message,
    )
  );
}

/** A lack of memory is no fault of the data or of the query. */
function named(error: unknown, memoryLimitMb: number): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('Out of Memory')) return error;
  return new PerdureError(
    'environment/broken',
    `The data engine needs more than its memory limit of ${memoryLimitMb} MB. Raise the limit.  ` +
      `${error.message.split('\n')[0]}`,
  );
}
