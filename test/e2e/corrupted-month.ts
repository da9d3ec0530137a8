import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteText } from '../../adapters/data-engine/quote.js';

/** The month's flights once more with their first row a second time, as a faulty export would send it. Answers the new file's path. */
export async function withOneRowTwice(file: string, folder: string): Promise<string> {
  const own = await mkdtemp(path.join(folder, 'corrupted-'));
  const target = path.join(own, path.basename(file));
  const session = await openDuckSession({ folder: own, readable: [file], threads: 1 });
  try {
    const source = `read_parquet(${quoteText(file)})`;
    await session.run(`COPY (SELECT * FROM ${source} UNION ALL (SELECT * FROM ${source} LIMIT 1)) TO ${quoteText(target)} (FORMAT parquet)`);
  } finally {
    session.close();
  }
  return target;
}
