import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { copyLog } from '../../adapters/data-engine/prediction-log/copy-log.js';
import type { LogKind } from '../../domain/serving/prediction-log-columns.js';
import { joinFeatures, type FeaturesByVersion } from '../../domain/serving/logged-features.js';
import { packedMark, rowsOfLine } from './packed-line.js';
import { labelLinesQuery, namedLinesQueries, rowLinesQueries } from './line-queries.js';
import { LineShapes } from './line-shapes.js';
import { contextMark, parseContext, type ParsedContext } from './row-line.js';
import { readPackedLine } from './read-packed-line.js';
import { PackedLineStages } from './stage-packed-lines.js';

const newline = 10;

interface Sorted {
  /** What the segment should hold, lines that cannot be read included. */
  expected: number;
  queries: string[];
  features: FeaturesByVersion;
}

/**
 * Writes a spool segment as Parquet; lines that are torn or damaged are left out and counted. The same segment gives
 * the same bytes.
 * @param folder where the file is written and DuckDB may spill
 */
export async function segmentToParquet(
  kind: LogKind,
  segment: string,
  parquet: string,
  folder: string,
): Promise<{ rows: number; torn: number }> {
  const bytes = await readFile(segment);
  const session = await openDuckSession({ folder, readable: [segment], threads: 1, memoryLimitMb: 512 });
  const rest = path.join(folder, `${randomUUID()}.ndjson`);
  try {
    const { expected, queries, features } = await sortLines(session, bytes, { kind, segment, rest });
    if (queries.length === 0) return { rows: 0, torn: expected };
    const rows = await copyLog(session, queries.join(' UNION ALL BY NAME '), parquet, features);
    return { rows, torn: Math.max(0, expected - rows) };
  } finally {
    session.close();
    await rm(rest, { force: true });
  }
}

/** Hands the rows of packed lines to the data engine; where there are any, all other lines go to the file `rest`. */
async function sortLines(
  session: DuckSession,
  bytes: Buffer,
  { kind, segment, rest }: { kind: LogKind; segment: string; rest: string },
): Promise<Sorted> {
  const stages = new PackedLineStages(session);
  const shapes = new LineShapes();
  const contexts = new Map<string, ParsedContext>();
  const isMixed = bytes.includes(packedMark);
  const isNamed = !bytes.includes(contextMark);
  const others: Buffer[] = [];
  let expected = 0;
  let singles = 0;
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(newline, start);
    if (end === -1) end = bytes.length;
    if (isMixed && begins(bytes, start, packedMark)) {
      const line = bytes.toString('utf8', start, end);
      const packed = readPackedLine(line);
      expected += packed?.rows ?? rowsOfLine(line);
      if (packed !== undefined) await stages.add(packed);
      continue;
    }
    if (!isNamed && begins(bytes, start, contextMark)) {
      const context = parseContext(bytes.toString('utf8', start, end));
      if (context !== undefined) contexts.set(context.context, context);
      continue;
    }
    expected += 1;
    singles += 1;
    if (isNamed && kind === 'predictions') shapes.look(bytes, start, end);
    if (isMixed) others.push(bytes.subarray(start, end), newlineBytes);
  }
  if (isMixed && singles > 0) await writeFile(rest, others, { flag: 'wx' });
  const groups = shapes.groups();
  const known = [...contexts.values()];
  const file = isMixed ? rest : segment;
  const ofSingles =
    kind === 'labels'
      ? [labelLinesQuery(file)]
      : isNamed
        ? namedLinesQueries(file, groups)
        : rowLinesQueries(file, known);
  const features = joinFeatures([
    stages.features,
    ...known.map(({ version, features: own }) => new Map([[version, own]])),
    ...groups.map(({ versions }) => versions),
  ]);
  return { expected, queries: [...(await stages.queries()), ...(singles === 0 ? [] : ofSingles)], features };
}

const newlineBytes = Buffer.from('\n');

function begins(bytes: Buffer, start: number, mark: string): boolean {
  // The fourth byte tells nearly all lines apart.
  return bytes[start + 3] === mark.charCodeAt(3) && bytes.toString('latin1', start, start + mark.length) === mark;
}
