import { z } from 'zod';
import { openDuckSession } from './duck-session.js';
import { parquetTable, quoteName } from './quote-sql.js';

/** Rows that cross from the engine as one list. */
const listRows = 100_000;
const listSchema = z.object({ numbers: z.array(z.number().nullable()) });

/**
 * One column of Parquet files as numbers, in the order of files and rows; true is 1. What is missing is NaN.
 * @param folder where the engine may write
 */
export async function readNumbers(
  { files, column, folder }: { files: readonly string[]; column: string; folder: string },
  signal?: AbortSignal,
): Promise<Float64Array> {
  const session = await openDuckSession({ folder, readable: files, threads: 1, signal });
  try {
    const lists: number[][] = [];
    for (const file of files) {
      const rows = await session.rows(
        `SELECT list(number ORDER BY place) AS numbers FROM (SELECT CAST(${quoteName(column)} AS DOUBLE) AS number, ` +
          `row_number() OVER () AS place FROM ${parquetTable(file)}) GROUP BY place // ${listRows} ` +
          `ORDER BY place // ${listRows}`,
        listSchema,
      );
      lists.push(...rows.map(({ numbers }) => numbers.map((number) => number ?? Number.NaN)));
    }
    const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
    let place = 0;
    for (const list of lists) {
      all.set(list, place);
      place += list.length;
    }
    return all;
  } finally {
    session.close();
  }
}
