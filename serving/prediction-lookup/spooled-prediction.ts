import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import { packedMark } from '../prediction-log/packed-line.js';
import { contextMark, parseContext, readRow, type ParsedContext } from '../prediction-log/row-line.js';
import { unpackLine } from '../prediction-log/unpack-line.js';
import { labelSchema, predictionSchema, theRow } from './logged-row.js';

/** A prediction that waits in the spool. @param wanted by the name of a segment */
export async function predictionInSpool(
  folder: string,
  id: string,
  wanted: (name: string) => boolean,
): Promise<LoggedPrediction | undefined> {
  const packed = `${packedMark}"prediction_id":"${id.replace(/[.~].*$/, '')}"`;
  for (const model of await readdir(folder).catch(() => [])) {
    for (const name of (await readdir(path.join(folder, model)).catch(() => [])).filter(wanted)) {
      const found: unknown[] = [];
      for await (const line of linesOf(path.join(folder, model, name), `{"prediction_id":"${id}`, packed))
        found.push(line);
      const rows = found.map((one) => predictionSchema.parse(one));
      const row = theRow(rows, id);
      if (row !== undefined) return row;
    }
  }
  return undefined;
}

export async function labelsInSpool(folder: string, id: string): Promise<ReceivedLabel[]> {
  const found: ReceivedLabel[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    for await (const line of linesOf(path.join(folder, name), `{"prediction_id":"${id}"`))
      found.push(labelSchema.parse(line));
  }
  return found;
}

/**
 * The whole lines of a segment that begin so, lines of several rows unpacked. A segment that is closed meanwhile loses
 * its suffix; one that was shipped is gone.
 * @param packedBeginning how a line begins that may hold such a line packed
 */
async function* linesOf(file: string, beginning: string, packedBeginning?: string): AsyncGenerator<unknown> {
  for (const candidate of file.endsWith('.open') ? [file, file.slice(0, -'.open'.length)] : [file]) {
    try {
      const contexts = new Map<string, ParsedContext>();
      for await (const line of createInterface({ input: createReadStream(candidate, 'utf8'), crlfDelay: Infinity })) {
        if (line.startsWith(contextMark)) {
          const context = parseContext(line);
          if (context !== undefined) contexts.set(context.context, context);
          continue;
        }
        const packed = packedBeginning !== undefined && line.startsWith(packedBeginning);
        for (const one of packed ? (unpackLine(line) ?? []) : [line]) {
          const value = one.startsWith(beginning) ? (readRow(one, contexts) ?? parsedLine(one)) : undefined;
          if (value !== undefined) yield value;
        }
      }
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/** Undefined for a torn line. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
