import { quoteName, quoteText, parquetTable } from './quote-sql.js';
import { openDuckSession } from './duck-session.js';

/** Writes a Parquet file with the same rows in the same order, without one column. */
export async function withoutColumn(
  { file, column, target, folder }: { file: string; column: string; target: string; folder: string },
  signal?: AbortSignal,
): Promise<void> {
  const session = await openDuckSession({ folder, readable: [file], threads: 1, signal });
  try {
    await session.run(
      `COPY (SELECT * EXCLUDE (${quoteName(column)}) FROM ${parquetTable(file)}) TO ${quoteText(target)} ` +
        '(FORMAT parquet, COMPRESSION zstd)',
    );
  } finally {
    session.close();
  }
}
