import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { literalPath } from '../../domain/data/lake/literal-path.js';
import { parquetTable, quoteName, quoteText } from '../data-engine/quote-sql.js';
import { holdoutColumns, holdoutExpressions } from './holdout-columns.js';
import { labelReader, type Labelled } from './holdout-labels.js';
import type { InputColumn } from './model-session.js';

export interface HoldoutBatch {
  rows: number;
  /** As the task codes them; none where it has no label. */
  labels: Float64Array;
  /** Of each row, where rows are ranked within groups. */
  groups: string[];
  /** By the names of the graph's inputs. */
  columns: Record<string, InputColumn>;
}

export interface HoldoutReader {
  /** Rows of a file in order, some thousands at a time, shaped as the model's inputs. */
  batches(file: string): AsyncGenerator<HoldoutBatch>;
  /** Columns of numbers of a file, a list of rows each, some thousands at a time. */
  numbers(file: string, columns: readonly string[]): AsyncGenerator<unknown[][]>;
  /** Rows of a file. */
  count(file: string): Promise<number>;
  close(): void;
}

const batchRows = 8192;

/** Reads Parquet with DuckDB on one thread, so that rows keep their order; only the files named can be reached. */
export async function openHoldoutReader(labelled: Labelled, files: readonly string[]): Promise<HoldoutReader> {
  const { contract } = labelled;
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '1024MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const paths = files.flatMap((file) => [file, literalPath(file)]);
  await connection.run(`SET allowed_paths = [${paths.map(quoteText).join(', ')}]::VARCHAR[]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  const columns = holdoutExpressions(contract);
  const label = labelReader(labelled);
  const batchOf = (read: readonly unknown[][], file: string): HoldoutBatch => ({
    rows: read[0]?.length ?? 0,
    ...label.read(read, file),
    columns: holdoutColumns(contract, read.slice(label.columns.length)),
  });
  return {
    async *batches(file) {
      let waiting: unknown[][] = [];
      for await (const chunk of query(connection, file, [...label.columns, ...columns])) {
        waiting = waiting.length === 0 ? chunk : waiting.map((values, index) => values.concat(chunk[index] ?? []));
        if ((waiting[0]?.length ?? 0) < batchRows) continue;
        yield batchOf(waiting, file);
        waiting = [];
      }
      if (waiting.length > 0) yield batchOf(waiting, file);
    },
    numbers(file, wanted) {
      const expressions = wanted.map((column) => `CAST(${quoteName(column)} AS DOUBLE)`);
      return query(connection, file, expressions);
    },
    async count(file) {
      let rows = 0;
      for await (const [counted = []] of query(connection, file, ['count(*)'])) rows += Number(counted[0] ?? 0);
      return rows;
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function* query(
  connection: DuckDBConnection,
  file: string,
  expressions: readonly string[],
): AsyncGenerator<unknown[][]> {
  try {
    const result = await connection.stream(`SELECT ${expressions.join(', ')} FROM ${parquetTable(file)}`);
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const filled = chunk;
      yield expressions.map((_, index) => [...filled.getColumnValues(index)]);
    }
  } catch (error) {
    throw new PerdureError(
      'data/unreadable',
      `The Parquet file ${file} cannot be read as the contract says: ` + `${messageOf(error)}`,
    );
  }
}
