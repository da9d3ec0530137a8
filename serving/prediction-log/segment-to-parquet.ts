import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession, type LocalDuckSession } from '../../adapters/data-engine/duck-session.js';
import { copyLog } from '../../adapters/data-engine/prediction-log/copy-log.js';
import type { LogKind } from '../../domain/serving/prediction-log-columns.js';
import { joinFeatures, type FeaturesByVersion } from '../../domain/serving/logged-features.js';
import { labelLinesQuery, namedLinesQueries } from './line-queries.js';
import { LineShapes } from './line-shapes.js';
import { blockLine, splitUnstorable, type LoggedBlock } from './logged-block.js';
import { SpoolLineReader } from './spool-line-reader.js';
import { stageBlocks } from './stage-blocks.js';

export interface Converted {
  /** Rows in the Parquet file. */
  rows: number;
  /** Rows of lines that are torn: a process died while it wrote them. */
  torn: number;
  /** Rows that no log can hold. */
  damaged: number;
  /** Lines of those rows; none as a rule. */
  setAside: string[];
}

const newline = 10;
const newlineBytes = Buffer.from('\n');

/** What can convert one segment after another. */
export const openConverter = (folder: string): Promise<LocalDuckSession> =>
  openDuckSession({ folder, threads: 1, memoryLimitMb: 512 });

/**
 * Writes a spool segment as Parquet; lines that are torn or damaged are left out and counted, requests with a text that
 * no log can hold are set aside. The same segment gives the same bytes.
 * @param folder where the file is written and DuckDB may spill
 * @param converter of the same folder; of this segment alone when it is left out
 */
export async function segmentToParquet(
  kind: LogKind,
  segment: string,
  parquet: string,
  folder: string,
  converter?: LocalDuckSession,
): Promise<Converted> {
  const lines = new SegmentLines(await readFile(segment), kind);
  const { blocks, named, wanted, damaged, setAside } = lines;
  const session = converter ?? (await openConverter(folder));
  const rest = path.join(folder, `${randomUUID()}.ndjson`);
  try {
    const groups = lines.shapes.groups();
    const ofNamed = kind === 'labels' ? [labelLinesQuery(rest)] : namedLinesQueries(rest, groups);
    if (named.length > 0)
      await writeFile(
        rest,
        named.flatMap((line) => [line, newlineBytes]),
      );
    const queries = [...stageBlocks(session, blocks), ...(named.length === 0 ? [] : ofNamed)];
    if (queries.length === 0) return { rows: 0, torn: wanted, damaged, setAside };
    const features = joinFeatures([...featuresOf(blocks), ...groups.map(({ versions }) => versions)]);
    const rows = await copyLog(session, queries.join(' UNION ALL BY NAME '), parquet, features);
    return { rows, torn: Math.max(0, wanted - rows), damaged, setAside };
  } finally {
    session.takeBackAll();
    if (converter === undefined) session.close();
    await rm(rest, { force: true });
  }
}

/** The features of each version. */
function featuresOf(blocks: readonly LoggedBlock[]): FeaturesByVersion[] {
  const lists = new Map(
    blocks.map(({ version, features }) => [JSON.stringify([version, features]), { version, features }]),
  );
  return [...lists.values()].map(
    ({ version, features }) => new Map([[version, new Map(features.map(({ name, type }) => [name, type]))]]),
  );
}

/** The lines of a segment, told apart. */
class SegmentLines {
  /** Rows that the log should get, those of torn lines included. */
  wanted = 0;
  damaged = 0;
  readonly setAside: string[] = [];
  readonly blocks: LoggedBlock[] = [];
  /** Lines that the data engine reads by itself. */
  readonly named: Buffer[] = [];
  readonly shapes = new LineShapes();

  constructor(bytes: Buffer, kind: LogKind) {
    const reader = new SpoolLineReader();
    for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
      end = bytes.indexOf(newline, start);
      if (end === -1) end = bytes.length;
      const text = bytes.toString('utf8', start, end);
      const line = reader.read(text);
      if (line.kind === 'block') this.add(line.block, text);
      else if (line.kind === 'torn') this.wanted += line.rows;
      else if (line.kind === 'named') {
        this.wanted += 1;
        this.named.push(bytes.subarray(start, end));
        if (kind === 'predictions') this.shapes.look(bytes, start, end);
      }
    }
  }

  private add(block: LoggedBlock, line: string): void {
    // How JSON writes what textProblem names.
    const isSuspect = line.includes('\\ud') || line.includes('\\u0000');
    const { fit, unfit } = isSuspect ? splitUnstorable(block) : { fit: block, unfit: [] };
    this.wanted += fit.rows;
    if (fit.rows > 0) this.blocks.push(fit);
    for (const one of unfit) this.damaged += one.rows;
    this.setAside.push(...unfit.map(blockLine));
  }
}
