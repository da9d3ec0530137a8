import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { rowsOfBlock } from '../../../serving/prediction-log/logged-block.js';
import { SpoolLineReader } from '../../../serving/prediction-log/spool-line-reader.js';

/** The rows in the spool of a model, as the log would hold them; torn lines are left out. */
export async function spooledRows(folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const reader = new SpoolLineReader();
    for (const line of (await readFile(path.join(folder, name), 'utf8')).split('\n')) {
      const read = reader.read(line);
      if (read.kind === 'block') rows.push(...rowsOfBlock(read.block));
    }
  }
  return rows;
}
