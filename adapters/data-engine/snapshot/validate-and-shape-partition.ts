import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { joinProblems } from '../../../domain/data/join-problems.js';
import { PerdureError } from '../../../domain/errors.js';
import { invalidDefinition } from '../../../domain/model/model-definition.js';
import { nameProblems } from '../../../domain/data/name-problems.js';
import type { DataPolicy } from '../../../domain/data/data-policy.js';
import { partitionBounds, timeZoneIn } from '../../../domain/calendar/partition-bounds.js';
import type { Partition } from '../../../domain/partition.js';
import type { ColumnProfile } from '../../../domain/data/snapshot/snapshot.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import type { PartitionSummary } from '../../../domain/data/snapshot/snapshot-summary.js';
import { checkExpectations } from '../../../domain/data/validation/validation-expectations.js';
import { newLevelNotes } from '../../../domain/data/validation/validation-levels.js';
import { sourceTables } from '../../../domain/data/source-tables.js';
import type { ValidationIssue, ValidationReport } from '../../../domain/data/validation/validation-report.js';
import { dropMaxPctIn } from '../../../domain/data/data-policy.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { dropBadRows, type DroppedRows } from './drop-bad-rows.js';
import { checkContract, checkEntity, sharesEntity, type OwnTimes } from './check-contract.js';
import type { DuckSession, SessionOpener } from '../duck-session.js';
import { soundColumns } from './plan-columns.js';
import { readPartition } from './read-partition.js';
import { loadedTable } from './read-table.js';
import { shapedTable, shapeRows, type ShapedColumn } from './shape-rows.js';
import { writePartition } from './write-partition.js';

export interface PartitionProgress {
  step: 'read' | 'join' | 'shape' | 'check' | 'write';
  /** Steps finished and to do, over the whole call. */
  done: number;
  total: number;
  what: string;
}

export interface ValidateAndShapeRequest {
  definition: ShapeDefinition & { name: string };
  partition: Partition;
  /**
   * Absolute local paths of each table's Parquet files: of this partition, or all of a table that is not partitioned.
   */
  tableFiles: Readonly<Record<string, readonly string[]>>;
  /** Those of earlier partitions, which as-of joins look back on. */
  earlierFiles?: Readonly<Record<string, readonly string[]>> | undefined;
  /** What a report calls the files; their last path segment where it says nothing. */
  fileNames?: ReadonlyMap<string, string> | undefined;
  /** Where the shaped file is put and temporary files are made. */
  workDir: string;
  /** Earlier valid partitions of the window. */
  previous: readonly PartitionSummary[];
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PartitionProgress) => void) | undefined;
  memoryLimitMb?: number;
  threads?: number;
  /**
   * Where the work is done. Expressions of a model team belong into an engine's process, never into one with
   * credentials.
   */
  openSession: SessionOpener;
}

export interface ShapedFile {
  path: string;
  sha256: string;
  bytes: number;
  rows: number;
  positives: number;
}

export interface ValidateAndShapeResult {
  report: ValidationReport;
  /**
   * The shaped rows that fulfil the contract, when nothing but single rows and expectations is wrong: the report is
   * `valid`, or it is what a person may release from quarantine.
   */
  file?: ShapedFile;
  /** Rows that are not in `file`; which they are lies in a file of its own. */
  dropped?: DroppedRows;
  /** One entry a feature that could be computed; absent when no labelled row could be. */
  profile?: ColumnProfile[];
}

const countSchema = z.object({ rows: z.coerce.number() });

/**
 * Reads one partition's source files, checks everything that the data policy and the contract ask, and writes the
 * joined rows. Bad data is never an exception: it is an issue of the report, and all issues are reported together.
 * @throws PerdureError `definition/invalid` for colliding names and expressions that cannot be right whatever the data,
 * `input/invalid` for files of an unknown table; the signal's reason.
 */
export async function validateAndShapePartition(request: ValidateAndShapeRequest): Promise<ValidateAndShapeResult> {
  const { definition, partition, tableFiles, workDir, previous, signal, onProgress, openSession } = request;
  const { contract, data } = definition;
  refuseWhatCannotBeRight(definition, tableFiles);

  await mkdir(workDir, { recursive: true });
  const folder = await mkdtemp(path.join(workDir, 'shape-'));
  const limits = { folder, signal, memoryLimitMb: request.memoryLimitMb ?? 1024 };
  const notes: string[] = [];
  const total = sourceTables(data).length + 4;
  let done = 0;
  const progress = (step: PartitionProgress['step'], what: string) => onProgress?.({ step, done: done++, total, what });
  let session: DuckSession | undefined;
  try {
    session = await openSession({
      ...limits,
      readable: [tableFiles, request.earlierFiles ?? {}].flatMap((files) => Object.values(files).flat()),
      threads: request.threads ?? 2,
    });
    const plan = await soundColumns(session, definition);
    const { issues, doubt } = await readPartition(session, request, plan, progress);

    progress('shape', `${Object.keys(contract.features).length} features`);
    const shaped = await shapeRows(session, definition, plan.columns, doubt);
    issues.push(...shaped.issues);
    notes.push(...shaped.notes);
    const baseRows = await countRows(session, loadedTable(data.base));
    const report = (rows: number): ValidationReport => ({
      model: definition.name,
      partition,
      outcome: issues.length === 0 ? 'valid' : 'invalid',
      rows,
      issues,
      notes,
    });
    if (shaped.columns.length === 0) {
      if (baseRows === 0 && !issues.some(({ table, column }) => table === data.base && column === null))
        issues.push(emptyIssue(data.base, 'has no rows'));
      return { report: report(baseRows) };
    }

    progress('check', 'contract');
    const rows = await countRows(session, shapedTable);
    if (rows === 0) issues.push(...whyEmpty(data.base, baseRows, issues));
    if (baseRows > rows) notes.push(`${baseRows - rows} of ${baseRows} rows have no label and are skipped.`);
    const found = await brokenRules(session, request, shaped.columns, issues);
    const onlyRows = issues.length === 0 && found.length > 0;
    const broken = found.map(({ issue }) => issue);
    if (rows === 0) {
      issues.push(...broken);
      return { report: report(0) };
    }
    const dropped = onlyRows
      ? await dropBadRows(session, { contract, columns: shaped.columns, found, folder, outDir: workDir })
      : undefined;
    const maxPct = dropMaxPctIn(data);
    const may = dropped !== undefined && maxPct > 0 && (100 * dropped.rows) / rows <= maxPct;
    if (!may) issues.push(...broken);
    if (dropped) notes.push(droppedText(dropped.rows, rows, maxPct));
    progress('write', `${rows - (dropped?.rows ?? 0)} rows`);
    const { profile, ...file } = await writePartition(session, {
      ...limits,
      openSession,
      outDir: workDir,
      contract,
      columns: shaped.columns,
    });
    const current: PartitionSummary = { partition, rows: file.rows, positives: file.positives, profile };
    const sound = issues.length === 0 || dropped !== undefined;
    issues.push(...checkExpectations({ expectations: data.expectations, current, previous }));
    notes.push(...newLevelNotes({ contract, current, previous }));
    if (sound) {
      const key = objectKeys.droppedRows(definition.name, partition, dropped?.sha256 ?? '');
      const left = dropped && { dropped: { rows: dropped.rows, of: rows, issues: broken, key } };
      return { report: { ...report(file.rows), ...left }, ...(dropped && { dropped }), file, profile };
    }
    await rm(file.path, { force: true });
    return { report: report(file.rows), profile };
  } finally {
    session?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rules of the contract that rows break. A key that is the entity moves there from the issues: it is told once. */
async function brokenRules(
  session: DuckSession,
  { definition, partition }: Pick<ValidateAndShapeRequest, 'definition' | 'partition'>,
  columns: readonly ShapedColumn[],
  issues: ValidationIssue[],
): ReturnType<typeof checkContract> {
  const { contract, data } = definition;
  const found = await checkContract(session, contract, columns, ownTimes(data, partition));
  const twice = issues.find(({ rule, table }) => rule === 'duplicate-key' && table === data.base);
  if (!twice) found.push(...(await checkEntity(session, contract, columns)));
  else if (issues.length === 1 && isEntity(definition, data.tables[data.base]?.key))
    found.unshift({ issue: issues.pop() ?? twice, predicate: sharesEntity(contract) });
  return found;
}

/** Nothing where the table could not be read: that is an issue already. */
function whyEmpty(base: string, baseRows: number, issues: readonly ValidationIssue[]): ValidationIssue[] {
  const unreadable = issues.some(
    ({ rule, table }) => table === base && (rule === 'unreadable-file' || rule === 'missing-table'),
  );
  const what = baseRows === 0 ? 'has no rows' : `has ${baseRows} rows and no label among them`;
  return unreadable ? [] : [emptyIssue(base, what)];
}

/** Whether a key is the entity: then rows that share it are rows of the shaped table that do. */
const isEntity = ({ contract }: ShapeDefinition, key: readonly string[] = []): boolean =>
  key.length === contract.entity.length && key.every((column) => contract.entity.includes(column));

function droppedText(rows: number, of: number, maxPct: number): string {
  const share = `${rows} of ${of} labelled rows (${((100 * rows) / of).toFixed(2)} %) break the contract`;
  if (maxPct > 0 && (100 * rows) / of <= maxPct) return `${share} and are left out; at most ${maxPct} % may be.`;
  return maxPct > 0 ? `${share}; at most ${maxPct} % may be left out.` : `${share}.`;
}

/** Where a cadence is declared, the event time says to which partition a row belongs. */
function ownTimes(data: DataPolicy, partition: Partition): OwnTimes {
  const bounds = data.cadence && partitionBounds(partition, timeZoneIn(data));
  return bounds && { partition, ...bounds };
}

function refuseWhatCannotBeRight(
  definition: ShapeDefinition & { name: string },
  tableFiles: ValidateAndShapeRequest['tableFiles'],
): void {
  const { data } = definition;
  const problems = [...nameProblems(definition), ...joinProblems(data)];
  if (problems.length > 0) throw invalidDefinition(definition.name, problems);
  const unknown = Object.keys(tableFiles).find((table) => !Object.hasOwn(data.tables, table));
  if (unknown !== undefined)
    throw new PerdureError(
      'input/invalid',
      `${definition.name} has no table ${unknown}; it has ${Object.keys(data.tables).join(', ')}.`,
    );
}

async function countRows(session: DuckSession, table: string): Promise<number> {
  const [row] = await session.rows(`SELECT count(*) AS rows FROM ${table}`, countSchema);
  return row?.rows ?? 0;
}

function emptyIssue(table: string, what: string): ValidationIssue {
  return {
    rule: 'empty-partition',
    table,
    column: null,
    message: `${table} ${what} in this partition. Put its data.`,
    rows: 0,
    examples: [],
  };
}
