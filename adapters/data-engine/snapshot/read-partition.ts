import path from 'node:path';
import type { DataPolicy } from '../../../domain/data/data-policy.js';
import type { Partition } from '../../../domain/partition.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import { sourceTables } from '../../../domain/data/source-tables.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { joinName, type Join } from '../../../domain/data/join.js';
import { checkKey, checkPartition } from './check-tables.js';
import type { DuckSession } from '../duck-session.js';
import { joinTables, type JoinedTables } from '../joins/join-tables.js';
import { loadedTable, readTable, type ReadTable } from './read-table.js';
import type { ColumnPlan } from './plan-columns.js';

/** The files of one partition, and what is to be made of them. */
export interface PartitionSource {
  definition: ShapeDefinition;
  partition: Partition;
  tableFiles: Readonly<Record<string, readonly string[]>>;
  earlierFiles?: Readonly<Record<string, readonly string[]>> | undefined;
  fileNames?: ReadonlyMap<string, string> | undefined;
}

/** The source tables of one partition: read, checked and joined. */
export async function readPartition(
  session: DuckSession,
  source: PartitionSource,
  plan: Pick<ColumnPlan, 'columns' | 'aggregates'>,
  progress: (step: 'read' | 'join', what: string) => void,
): Promise<JoinedTables> {
  const { partition } = source;
  const { data } = source.definition;
  const issues: ValidationIssue[] = [];
  const [read, lookedBack] = [new Map<string, ReadTable>(), new Map<string, ReadTable>()];
  for (const name of sourceTables(data)) {
    const table = data.tables[name];
    if (!table) continue;
    progress('read', `table ${name}`);
    const loaded = await readTable(session, name, table, filesOf(source, source.tableFiles[name]));
    read.set(name, loaded);
    issues.push(...loaded.issues);
    const earlier = filesOf(source, source.earlierFiles?.[name]);
    const back = earlier.length > 0 ? await withEarlier(session, loaded, table, earlier) : undefined;
    if (back) lookedBack.set(name, back);
    // What is joined row by row must be unique; a base that is looked back on was checked partition by partition.
    issues.push(
      ...(back?.issues ?? []),
      ...(await checkKey(session, name === data.base ? loaded : (back ?? loaded), table)),
    );
    if (name === data.base && data.cadence === undefined)
      issues.push(...(await checkPartition(session, loaded, table, partition)));
  }
  progress('join', `${data.base} with ${data.joins.map(joinName).join(', ') || 'nothing'}`);
  const base = read.get(data.base);
  if (!base) throw new Error(`${data.base} is no table`);
  const loaded = { base, rightOf: ({ table, asOf }: Join) => (asOf && lookedBack.get(table)) ?? read.get(table) };
  const joined = await joinTables(session, source.definition, loaded, plan);
  return { ...joined, issues: [...issues, ...joined.issues] };
}

/** A table with its rows of earlier partitions. */
async function withEarlier(
  session: DuckSession,
  own: ReadTable,
  table: DataPolicy['tables'][string],
  files: ReturnType<typeof filesOf>,
): Promise<ReadTable> {
  const back = await readTable(session, own.name, table, files, loadedTable(`${own.name}:earlier`));
  await session.run(`INSERT INTO ${back.loaded} SELECT * FROM ${own.loaded}`);
  return {
    ...back,
    broken: new Set([...back.broken, ...own.broken]),
    tainted: new Set([...back.tainted, ...own.tainted]),
  };
}

const filesOf = ({ fileNames }: PartitionSource, files: readonly string[] = []) =>
  files.map((file) => ({ path: file, name: fileNames?.get(file) ?? path.basename(file) }));
