import { rm } from 'node:fs/promises';
import path from 'node:path';
import { logColumns, type LogKind } from '../../../domain/serving/prediction-log-columns.js';
import type { ListedObjectCache } from '../../object-store/listed-object-cache.js';
import type { ListedObject } from '../../object-store/object-store.js';
import type { DuckSession } from '../duck-session.js';
import { columnsOfFeatures } from './feature-columns.js';
import { inParallel } from './in-parallel.js';
import { logBatches } from './log-objects.js';
import { parquetTable, quoteName, quoteText } from '../quote-sql.js';

/** What is read in one query. */
const batchMax = { filesMax: 256, bytesMax: 256 * 1024 ** 2 };
const downloadsMax = 8;

export interface LogReaderOptions {
  session: DuckSession;
  cache: ListedObjectCache;
  /** The session's. */
  folder: string;
  signal: AbortSignal | undefined;
  onUnreadable: ((key: string, reason: string) => void) | undefined;
  /** Features of predictions whose columns must be there, null where no object has them. None by default. */
  features?: readonly string[];
}

export type LogReader = (
  kind: LogKind,
  objects: readonly ListedObject[],
  use: (source: string) => Promise<void>,
) => Promise<void>;

/**
 * Gives objects of a log to a query as one table with all of the log's columns, `filename` and `file_row_number`, some
 * at a time.
 */
export function createLogReader({
  session,
  cache,
  folder,
  signal,
  onUnreadable,
  features = [],
}: LogReaderOptions): LogReader {
  /**
   * Calls `use` with the SQL of a table for each batch. A damaged object is left out, and told: then its batch is read
   * again, an object at a time, so `use` must change nothing when its query fails.
   */
  return async function readLog(
    kind: LogKind,
    objects: readonly ListedObject[],
    use: (source: string) => Promise<void>,
  ): Promise<void> {
    const columns = await emptyLog(kind);
    let read = 0;
    for (const batch of logBatches(objects, batchMax)) {
      const files = await place(batch, read);
      read += batch.length;
      try {
        await use(sourceOf([columns, ...files]));
      } catch (error) {
        if (!isDamage(error)) throw error;
        await readSingly(batch, files, columns, use);
      } finally {
        await Promise.all(files.map((file) => rm(file, { force: true })));
      }
    }
    await rm(columns, { force: true });
  };

  async function readSingly(
    batch: readonly ListedObject[],
    files: readonly string[],
    columns: string,
    use: (source: string) => Promise<void>,
  ) {
    for (const [index, file] of files.entries()) {
      try {
        await use(sourceOf([columns, file]));
      } catch (error) {
        if (!isDamage(error)) throw error;
        onUnreadable?.(batch[index]?.key ?? '', error.message.split('\n')[0] ?? '');
      }
    }
  }

  /** An empty file with every column: objects from before a column was added then have it too, as nulls. */
  async function emptyLog(kind: LogKind): Promise<string> {
    const file = path.join(folder, `${kind}.parquet`);
    const columns = { ...logColumns[kind], ...(kind === 'predictions' && columnsOfFeatures(features)) };
    const list = Object.entries(columns).map(([name, type]) => `NULL::${type} AS ${quoteName(name)}`);
    await session.run(`COPY (SELECT ${list.join(', ')} WHERE false) TO ${quoteText(file)} (FORMAT parquet)`);
    return file;
  }

  /** Local copies, named in the order of the keys over all batches. */
  async function place(batch: readonly ListedObject[], before: number): Promise<string[]> {
    const files = batch.map((_, index) => path.join(folder, `${String(before + index).padStart(9, '0')}.parquet`));
    await inParallel(batch, downloadsMax, async (object, index) => {
      signal?.throwIfAborted();
      await cache.place(object, files[index] ?? '');
    });
    return files;
  }
}

const sourceOf = (files: readonly string[]): string =>
  parquetTable(files, 'union_by_name = true, filename = true, file_row_number = true');

/**
 * What DuckDB says of a file that is no Parquet, or that holds other columns; anything else is no fault of the file.
 */
export function isDamage(error: unknown): error is Error {
  return (
    error instanceof Error &&
    /^(IO|Invalid|Invalid Input|Serialization|Conversion|TProtocolException|Mismatch Type)\b/.test(error.message) &&
    !/No space left|Too many open files/.test(error.message)
  );
}
