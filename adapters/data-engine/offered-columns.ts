import {
  DOUBLE,
  DuckDBTableFunction,
  ENUM,
  FLOAT,
  INTEGER,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBDataChunk,
} from '@duckdb/node-api';
import { z } from 'zod';

/** A column that lies in this process's memory. */
export type OfferedColumn = { name: string } & (
  | { type: 'DOUBLE'; values: Float64Array }
  | { type: 'FLOAT'; values: Float32Array }
  | { type: 'INTEGER'; values: Int32Array }
  | { type: 'VARCHAR'; values: readonly string[] }
  /** Places in a list of few texts. */
  | { type: 'ENUM'; values: Uint8Array; texts: readonly string[] }
);

/** As many rows as one vector of DuckDB holds. */
const chunkRows = 2048;
const types = { DOUBLE, FLOAT, INTEGER, VARCHAR };

/**
 * Columns that queries read from memory as `FROM offered('name')`, in the order of the rows: a third of what a table
 * costs, which is written, keeps statistics of each value, and is read again.
 */
export class OfferedColumns {
  private readonly byName = new Map<string, readonly OfferedColumn[]>();

  constructor(connection: DuckDBConnection) {
    const nameSchema = z.string();
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name: 'offered',
        parameterTypes: [VARCHAR],
        bindFunction: (bound) => {
          const columns = this.byName.get(nameSchema.parse(bound.getParameter(0)));
          if (columns === undefined) return bound.setError('no such columns are offered');
          for (const column of columns)
            bound.addResultColumn(column.name, column.type === 'ENUM' ? ENUM(column.texts) : types[column.type]);
          bound.setBindData(columns);
          bound.setCardinality(columns[0]?.values.length ?? 0, true);
        },
        initFunction: (scan) => {
          scan.setMaxThreads(1);
          scan.setInitData({ at: 0 });
        },
        mainFunction: (scan, chunk) => {
          const columns = scan.bindData as readonly OfferedColumn[];
          const place = scan.initData as { at: number };
          place.at += fill(chunk, columns, place.at);
        },
      }),
    );
  }

  set(name: string, columns: readonly OfferedColumn[]): void {
    this.byName.set(name, columns);
  }

  clear(): void {
    this.byName.clear();
  }
}

/** @returns how many rows it took, from `at` on */
function fill(chunk: DuckDBDataChunk, columns: readonly OfferedColumn[], at: number): number {
  const count = Math.min(chunkRows, (columns[0]?.values.length ?? 0) - at);
  chunk.rowCount = count;
  if (count === 0) return 0;
  for (const [index, { values }] of columns.entries()) {
    const vector = chunk.getColumnVector(index);
    if (!setNumbers(Reflect.get(vector, 'items'), values, at, count))
      for (let row = 0; row < count; row += 1) vector.setItem(row, values[at + row] ?? null);
    vector.flush();
  }
  return count;
}

/** Numbers go over in one piece where the binding keeps them as such, ten times faster than one by one. */
function setNumbers(items: unknown, values: OfferedColumn['values'], at: number, count: number): boolean {
  if (values instanceof Float32Array && items instanceof Float32Array) items.set(values.subarray(at, at + count));
  else if (values instanceof Float64Array && items instanceof Float64Array) items.set(values.subarray(at, at + count));
  else if (values instanceof Int32Array && items instanceof Int32Array) items.set(values.subarray(at, at + count));
  else if (values instanceof Uint8Array && items instanceof Uint8Array) items.set(values.subarray(at, at + count));
  else return false;
  return true;
}
