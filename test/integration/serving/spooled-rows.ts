import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseContext, readRow } from '../../../serving/prediction-log/row-line.js';

/** The single rows in the spool of a model, as the log would hold them; packed and torn lines are left out. */
export async function spooledRows(folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const lines = (await readFile(path.join(folder, name), 'utf8')).split('\n');
    const contexts = new Map(lines.flatMap((line) => parseContext(line) ?? []).map((one) => [one.context, one]));
    for (const line of lines) {
      const row = readRow(line, contexts);
      if (row !== undefined) rows.push(row);
    }
  }
  return rows;
}
