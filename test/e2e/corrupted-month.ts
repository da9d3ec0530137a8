import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteText } from '../../adapters/data-engine/quote-sql.js';

const rowSchema = z.object({ carrier: z.string(), flight: z.string() });

/**
 * The month's flights once more with their first row a second time, as a faulty export would send it. Answers the new
 * file and that row.
 */
export async function withOneRowTwice(
  file: string,
  folder: string,
): Promise<{ file: string; row: z.infer<typeof rowSchema> }> {
  const own = await mkdtemp(path.join(folder, 'corrupted-'));
  const target = path.join(own, path.basename(file));
  const session = await openDuckSession({ folder: own, readable: [file], threads: 1 });
  try {
    const source = `read_parquet(${quoteText(file)})`;
    const [row] = await session.rows(
      `SELECT carrier, CAST(flight AS VARCHAR) AS flight FROM ${source} LIMIT 1`,
      rowSchema,
    );
    if (!row) throw new Error(`${file} is empty`);
    await session.run(
      `COPY (SELECT * FROM ${source} UNION ALL (SELECT * FROM ${source} LIMIT 1)) TO ${quoteText(target)} ` +
        '(FORMAT parquet)',
    );
    return { file: target, row };
  } finally {
    session.close();
  }
}
