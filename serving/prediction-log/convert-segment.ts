import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LocalDuckSession } from '../../adapters/data-engine/duck-session.js';
import { findTextProblem } from '../../domain/text/plain-text.js';
import { logColumns, type LogKind } from '../../domain/serving/prediction-log-columns.js';
import { blockMark } from './logged-block.js';
import { contextMark } from './older-lines.js';
import { rowsOfLine } from './rows-of-line.js';
import { segmentToParquet, type Converted } from './segment-to-parquet.js';

/** Lines that are found by halving at most; what is left after that is set aside with them. */
const triesMax = 400;

/**
 * Writes a segment as Parquet. Where that fails for the sake of some lines, those are left out and all others are
 * converted: a line that nobody can store costs itself, not what everybody else was answered.
 * @throws what stands in the way of any segment, such as a full disk: it says nothing about the lines
 */
export async function convertSegment(
  kind: LogKind,
  segment: string,
  parquet: string,
  folder: string,
  converter?: LocalDuckSession,
): Promise<Converted> {
  try {
    return await segmentToParquet(kind, segment, parquet, folder, converter);
  } catch (cause) {
    const all = (await readFile(segment, 'utf8')).split('\n').filter((line) => line !== '');
    const contexts = all.filter((line) => line.startsWith(contextMark));
    const lines = all.filter((line) => !line.startsWith(contextMark));
    if (!(await new Trial(kind, folder, []).takes([harmlessLine(kind)]))) throw cause;
    const trial = new Trial(kind, folder, contexts);
    const { fit, unfit } = await trial.sort(lines);
    const damaged = unfit.reduce((rows, line) => rows + rowsOfLine(line), 0);
    if (fit.length === 0) return { rows: 0, torn: 0, damaged, setAside: unfit };
    const rest = path.join(folder, `${randomUUID()}.ndjson`);
    try {
      await writeFile(rest, `${[...contexts, ...fit].join('\n')}\n`);
      const converted = await segmentToParquet(kind, rest, parquet, folder);
      return {
        ...converted,
        damaged: converted.damaged + damaged,
        setAside: [...converted.setAside, ...unfit],
      };
    } finally {
      await rm(rest, { force: true });
    }
  }
}

/** Tries lines on a file of their own. */
class Trial {
  private tries = 0;

  constructor(
    private readonly kind: LogKind,
    private readonly folder: string,
    /** Stand before the lines in every try. */
    private readonly contexts: readonly string[],
  ) {}

  /** The lines that can be converted together, and those that cannot, each found by halving. */
  async sort(lines: readonly string[]): Promise<{ fit: string[]; unfit: string[] }> {
    const fit: string[] = [];
    const unfit: string[] = [];
    // Most of what cannot be stored is seen without trying.
    const likely = lines.filter((line) => (isPlain(line) ? true : (unfit.push(line), false)));
    const open: (readonly string[])[] = [likely];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.length === 0) continue;
      if (this.tries >= triesMax) unfit.push(...next);
      else if (await this.takes(next)) fit.push(...next);
      else if (next.length === 1) unfit.push(...next);
      else open.push(next.slice(next.length / 2), next.slice(0, next.length / 2));
    }
    return { fit, unfit };
  }

  async takes(lines: readonly string[]): Promise<boolean> {
    this.tries += 1;
    const [segment, parquet] = ['ndjson', 'parquet'].map((kind) =>
      path.join(this.folder, `${randomUUID()}.${kind}`),
    ) as [string, string];
    try {
      await writeFile(segment, `${[...this.contexts, ...lines].join('\n')}\n`);
      await segmentToParquet(this.kind, segment, parquet, this.folder);
      return true;
    } catch {
      return false;
    } finally {
      await Promise.all([segment, parquet].map((file) => rm(file, { force: true })));
    }
  }
}

/** A torn line is plain, and so is a block: what reads them leaves out what cannot be stored. */
function isPlain(line: string): boolean {
  if (line.startsWith(blockMark)) return true;
  try {
    return findTextProblem(JSON.parse(line)) === undefined;
  } catch {
    return true;
  }
}

/** One that every machine in order can convert. */
function harmlessLine(kind: LogKind): string {
  const columns = Object.keys(logColumns[kind]).map((name) => [name, name === 'prediction_id' ? 'p' : null]);
  return JSON.stringify({
    ...Object.fromEntries(columns),
    ...(kind === 'predictions' && { version: 1, features: {} }),
  });
}
