import { rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { championColumn, withoutColumns } from '../../../domain/data/snapshot/comparison-shape.js';
import { labelColumns } from '../../../domain/data/label.js';
import type { Contract } from '../../../domain/data/contract.js';
import { PerdureError } from '../../../domain/errors.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import { quoteName, quoteText } from '../quote-sql.js';
import {
  validateAndShapePartition,
  type ValidateAndShapeRequest,
  type ValidateAndShapeResult,
} from './validate-and-shape-partition.js';
import { fileDigest } from './write-partition.js';

export interface ChampionRowsRequest extends Omit<ValidateAndShapeRequest, 'previous'> {
  /** From `comparisonShape`. */
  definition: ShapeDefinition & { name: string };
  champion: Contract;
  challenger: Contract;
  /** The challenger's shaped rows of the partition: these rows are asked for, in this order. */
  rows: string;
}

export type ChampionRows = { path: string; sha256: string } | { impossible: string };

const countsSchema = z.object({ wanted: z.coerce.number(), found: z.coerce.number(), once: z.coerce.number() });

/**
 * The challenger's rows of a partition with the champion's own features, computed from the same source files: one row
 * for each, in the same order, under the challenger's label. Or why there are none: a column is gone, or rows cannot be
 * matched.
 */
export async function shapeForChampion(request: ChampionRowsRequest): Promise<ChampionRows> {
  const shaped = await shapeLeavingOutWhatIsGone(request);
  if (shaped.file === undefined) {
    const issues = shaped.report.issues.map(({ message }) => message);
    return { impossible: `${request.partition}: ${issues.slice(0, 3).join(' ')}` };
  }
  return matchRows(request, shaped.file.path);
}

/** A column that the champion declares and does not need may be gone from the files. */
async function shapeLeavingOutWhatIsGone(request: ChampionRowsRequest): Promise<ValidateAndShapeResult> {
  const first = await shape(request);
  if (first.file !== undefined) return first;
  const gone = first.report.issues.flatMap(({ rule, table, column }) =>
    rule === 'missing-column' && table !== null && column !== null ? [{ table, column }] : [],
  );
  if (gone.length === 0) return first;
  const second = await shape({ ...request, definition: withoutColumns(request.definition, gone) });
  return second.file === undefined ? first : second;
}

async function shape(request: ChampionRowsRequest): Promise<ValidateAndShapeResult> {
  const { champion: _champion, challenger: _challenger, rows: _rows, ...question } = request;
  try {
    return await validateAndShapePartition({ ...question, previous: [] });
  } catch (error) {
    // Two definitions together may use a name twice.
    if (!(error instanceof PerdureError) || error.code !== 'definition/invalid') throw error;
    const { partition, definition } = request;
    const issue = {
      rule: 'expression' as const,
      table: null,
      column: null,
      message: error.message,
      rows: null,
      examples: [],
    };
    return { report: { model: definition.name, partition, outcome: 'invalid', rows: 0, issues: [issue], notes: [] } };
  }
}

async function matchRows(request: ChampionRowsRequest, shaped: string): Promise<ChampionRows> {
  const { champion, challenger, rows, workDir, partition, signal, openSession } = request;
  const session = await openSession({ folder: workDir, readable: [rows, shaped], threads: 1, signal });
  try {
    const keys = [...new Set([...challenger.entity, challenger.eventTime])].map(quoteName);
    const on = keys.map((key) => `wanted.${key} IS NOT DISTINCT FROM shaped.${key}`).join(' AND ');
    const from = `read_parquet(${quoteText(rows)}, file_row_number = true) AS wanted`;
    const matched = `${from} JOIN read_parquet(${quoteText(shaped)}) AS shaped ON ${on}`;
    const [counts] = await session.rows(
      `SELECT (SELECT count(*) FROM ${from}) AS wanted, count(*) AS found, count(DISTINCT ` +
        `wanted.file_row_number) AS once FROM ${matched}`,
      countsSchema,
    );
    const { wanted = 0, found = 0, once = 0 } = counts ?? {};
    if (wanted !== found || wanted !== once)
      return { impossible: `${partition}: ${once} of ${wanted} rows were matched with the champion's features` };
    const features = Object.keys(champion.features).map(
      (name) => `shaped.${quoteName(championColumn(name))} AS ${quoteName(name)}`,
    );
    const label = labelColumns(challenger).map(
      (name) => `wanted.${quoteName(name)} AS ${quoteName(champion.label?.name ?? name)}`,
    );
    const written = path.join(workDir, `champion-${partition}.parquet`);
    await session.run(
      `COPY (SELECT ${[...features, ...label].join(', ')} FROM ${matched} ORDER BY wanted.file_row_number) TO ` +
        `${quoteText(written)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const sha256 = await fileDigest(written);
    const target = path.join(workDir, `${sha256}.parquet`);
    await rename(written, target);
    return { path: target, sha256 };
  } finally {
    session.close();
  }
}
