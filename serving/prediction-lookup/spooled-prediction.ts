import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import { rowsOfBlock } from '../prediction-log/logged-block.js';
import { contextMark } from '../prediction-log/older-lines.js';
import { SpoolLineReader } from '../prediction-log/spool-line-reader.js';
import { labelSchema, predictionSchema, theRow } from './logged-row.js';

/** A prediction that waits in the spool. @param wanted by the name of a segment */
export async function predictionInSpool(
  folder: string,
  id: string,
  wanted: (name: string) => boolean,
): Promise<LoggedPrediction | undefined> {
  const requestId = id.replace(/[.~].*$/, '');
  for (const model of await readdir(folder).catch(() => [])) {
    for (const name of (await readdir(path.join(folder, model)).catch(() => [])).filter(wanted)) {
      const found: unknown[] = [];
      for await (const row of rowsWith(path.join(folder, model, name), requestId))
        if (String(row['prediction_id']).startsWith(id)) found.push(row);
      const row = theRow(
        found.map((one) => predictionSchema.parse(one)),
        id,
      );
      if (row !== undefined) return row;
    }
  }
  return undefined;
}

export async function labelsInSpool(folder: string, id: string): Promise<ReceivedLabel[]> {
  const found: ReceivedLabel[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    for await (const label of rowsWith(path.join(folder, name), id))
      if (label['prediction_id'] === id) found.push(labelSchema.parse(label));
  }
  return found;
}

/**
 * The rows of a segment in whose lines a text is. A segment that is closed meanwhile loses its suffix; one that was
 * shipped is gone.
 */
async function* rowsWith(file: string, text: string): AsyncGenerator<Record<string, unknown>> {
  for (const candidate of file.endsWith('.open') ? [file, file.slice(0, -'.open'.length)] : [file]) {
    try {
      const reader = new SpoolLineReader();
      for await (const line of createInterface({ input: createReadStream(candidate, 'utf8'), crlfDelay: Infinity })) {
        if (!line.startsWith(contextMark) && !line.includes(text)) continue;
        const read = reader.read(line);
        if (read.kind === 'block') yield* rowsOfBlock(read.block);
        if (read.kind === 'named') yield* namedRow(line);
      }
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/** None for a torn line. */
function namedRow(line: string): Record<string, unknown>[] {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null ? [{ ...row }] : [];
  } catch {
    return [];
  }
}
