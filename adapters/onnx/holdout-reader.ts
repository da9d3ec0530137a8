import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { Contract } from '../../domain/data/contract.js';
import { labelOf } from '../../domain/tasks/task-of.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { literalPath } from '../../domain/data/lake/literal-path.js';
import { parquetTable, quoteText } from '../data-engine/quote-sql.js';
import type { InputColumn } from './model-session.js';

export interface HoldoutBatch {
  rows: number;
  /** 1 for a positive row, else 0. */
  labels: Uint8Array;
  columns: Record<string, InputColumn>;
}

export interface HoldoutReader {
  /** Rows of a file in order, some thousands at a time, shaped as the model's inputs. */
  batches(file: string): AsyncGenerator<HoldoutBatch>;
  /** One column of numbers of a file, in order. */
  numbers(file: string, column: string): Promise<Float64Array>;
  close(): void;
}

const batchRows = 8192;

/** Reads Parquet with DuckDB on one thread, so that rows keep their order; only the files named can be reached. */
export async function openHoldoutReader(contract: Contract, files: readonly string[]): Promise<HoldoutReader> {
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
  const names = Object.keys(contract.features);
  const columns = names.map((name) =>
    contract.features[name]?.type === 'number'
      ? `coalesce(CAST("${name}" AS FLOAT), CAST('NaN' AS FLOAT))`
      : `coalesce(CAST("${name}" AS VARCHAR), '')`,
  );
  const label = `CAST("${labelOf(contract).name}" AS INTEGER)`;
  return {
    async *batches(file) {
      let waiting: unknown[][] = [];
      for await (const chunk of query(connection, file, [label, ...columns])) {
        waiting = waiting.length === 0 ? chunk : waiting.map((values, index) => values.concat(chunk[index] ?? []));
        if ((waiting[0]?.length ?? 0) < batchRows) continue;
        yield batchOf(waiting, names, contract, file);
        waiting = [];
      }
      if (waiting.length > 0) yield batchOf(waiting, names, contract, file);
    },
    async numbers(file, column) {
      const values: number[] = [];
      for await (const [chunk = []] of query(connection, file, [`CAST("${column.replaceAll('"', '""')}" AS DOUBLE)`])) {
        for (const value of chunk) values.push(typeof value === 'number' ? value : Number.NaN);
      }
      return Float64Array.from(values);
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

function batchOf(
  [labels = [], ...values]: unknown[][],
  names: readonly string[],
  contract: Contract,
  file: string,
): HoldoutBatch {
  const unlabelled = labels.findIndex((label) => label !== 0 && label !== 1);
  if (unlabelled !== -1)
    throw new PerdureError(
      'data/invalid',
      `A row of the holdout ${file} has no label ${labelOf(contract).name}. Leave unlabelled rows out of snapshots.`,
    );
  const columns: Record<string, InputColumn> = {};
  for (const [index, name] of names.entries()) {
    const column = values[index] ?? [];
    columns[name] = contract.features[name]?.type === 'number' ? Float32Array.from(column, Number) : column.map(String);
  }
  return { rows: labels.length, labels: Uint8Array.from(labels, Number), columns };
}
