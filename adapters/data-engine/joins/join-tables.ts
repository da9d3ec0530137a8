import type { DataPolicy } from '../../../domain/data/data-policy.js';
import { joinColumns, joinName, type Join } from '../../../domain/data/join.js';
import { dataSources } from '../../../domain/data/source-tables.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';
import type { SourceColumn } from '../expressions/source-columns.js';
import { joinAggregates } from './join-aggregates.js';
import { joinAsOf } from './join-as-of.js';
import { joinEqual } from './join-equal.js';
import type { JoinedRows, JoinStep } from './join-step.js';
import type { ColumnPlan } from '../snapshot/plan-columns.js';
import { loadedTable, type ReadTable } from '../snapshot/read-table.js';

/**
 * The view of base rows with the columns of joins that are used: bare where unambiguous, and in a struct named after
 * the join.
 */
export const joinedView = quoteName('view:joined');

/** The tables as they were loaded. */
export interface LoadedTables {
  base: ReadTable;
  /** The right table of a join. */
  rightOf: (join: Join) => ReadTable | undefined;
}

export interface JoinedTables {
  issues: ValidationIssue[];
  /** Whether a column has no usable values (`broken`), or some wrong ones (`tainted`), already reported. */
  doubt: (read: SourceColumn) => 'broken' | 'tainted' | undefined;
}

interface Joined extends JoinedRows {
  name: string;
  columns: readonly string[];
}

/**
 * Creates the joined view and reports joins that would multiply rows or are ambiguous. The view holds each base row
 * once even then, so that later checks count base rows. A table without usable join columns is joined as all missing.
 */
export async function joinTables(
  session: DuckSession,
  { contract, data }: ShapeDefinition,
  loaded: LoadedTables,
  { columns: plan, aggregates }: Pick<ColumnPlan, 'columns' | 'aggregates'>,
): Promise<JoinedTables> {
  const base = data.tables[data.base];
  const reads = plan.flatMap((column) => column.reads);
  const usedBy = data.joins.flatMap((join) =>
    join.from === undefined ? [] : joinColumns(join).map(({ left }) => ({ table: join.from ?? '', column: left })),
  );
  const usedOf = (name: string) => [
    ...new Set([...reads, ...usedBy].filter((one) => one.table === name).map(({ column }) => column)),
  ];
  const baseRows = `${loadedTable(data.base)} b`;
  const joined: Joined[] = [];
  for (const [index, join] of data.joins.entries()) {
    const [table, right] = [data.tables[join.table], loaded.rightOf(join)];
    const left = joined.find(({ name }) => name === join.from);
    if (!table || !right) continue;
    const used = usedOf(joinName(join));
    const moment = join.asOf?.leftTime ?? contract.eventTime;
    const step: JoinStep = {
      ...{ session, join, table, used, base: data.base, alias: `j${index}`, right: right.loaded },
      before: left ? [baseRows, ...joined.map(({ clause }) => clause)].join(' ') : baseRows,
      on: joinColumns(join).map((pair) => ({
        left: left ? left.value(pair.left) : `b.${quoteName(pair.left)}`,
        right: pair.right,
      })),
      moment: `b.${quoteName(moment)}`,
    };
    const needed = { left: left ? [] : joinColumns(join).map((pair) => pair.left), right: rightNeeds(join) };
    if (join.asOf) needed.left.push(moment);
    const works =
      !needed.left.some((column) => loaded.base.broken.has(column)) &&
      !needed.right.some((column) => right.broken.has(column)) &&
      !(left?.failed && joinColumns(join).some((pair) => left.failed?.includes(pair.left)));
    const rows = works ? await joinOne(step, aggregates.get(index)) : allMissing(step);
    joined.push({ ...rows, name: joinName(join), columns: used });
  }
  const selected = selectedColumns(Object.keys(base?.columns ?? {}), usedOf(data.base), joined);
  await session.run(
    `CREATE VIEW ${joinedView} AS SELECT ${selected.join(', ') || '1 AS "nothing:"'} FROM ` +
      `${[baseRows, ...joined.map(({ clause }) => clause)].join(' ')}`,
  );
  return { issues: joined.flatMap(({ issues }) => issues), doubt: doubtIn(data, loaded, joined, aggregates) };
}

function joinOne(step: JoinStep, planned: ReturnType<ColumnPlan['aggregates']['get']>): Promise<JoinedRows> {
  if (step.join.aggregate) return joinAggregates(step, planned ?? []);
  return step.join.asOf ? joinAsOf(step) : joinEqual(step);
}

/** The columns of the right table without which there is no join. */
const rightNeeds = (join: Join): string[] => [
  ...joinColumns(join).map(({ right }) => right),
  ...(join.asOf ? [join.asOf.time, ...(join.asOf.orderBy ?? [])] : []),
];

function allMissing({ join, alias, right }: JoinStep): JoinedRows {
  // The columns of an aggregate have no table to be missing from.
  if (join.aggregate) return { clause: '', value: () => 'NULL', issues: [], failed: Object.keys(join.aggregate) };
  return {
    clause: `LEFT JOIN ${right} ${alias} ON false`,
    value: (column) => `${alias}.${quoteName(column)}`,
    issues: [],
  };
}

/**
 * A bare name is the base's column, if it has one, else that of the first join; the parser has refused a bare name that
 * two joins share.
 */
function selectedColumns(baseColumns: readonly string[], used: readonly string[], joined: readonly Joined[]): string[] {
  const bare = new Set(baseColumns.map((column) => column.toLowerCase()));
  const selected = used.map((column) => `b.${quoteName(column)}`);
  for (const { name, columns, value } of joined) {
    if (columns.length === 0) continue;
    for (const column of columns) {
      if (bare.has(column.toLowerCase())) continue;
      bare.add(column.toLowerCase());
      selected.push(`${value(column)} AS ${quoteName(column)}`);
    }
    const members = columns.map((column) => `${quoteName(column)} := ${value(column)}`);
    selected.push(`struct_pack(${members.join(', ')}) AS ${quoteName(name)}`);
  }
  return selected;
}

function doubtIn(
  data: DataPolicy,
  { base, rightOf }: LoadedTables,
  joined: readonly Joined[],
  aggregates: ColumnPlan['aggregates'],
): JoinedTables['doubt'] {
  const index = new Map(dataSources(data).map(({ name }, at) => [name, at - 1]));
  return ({ table: name, column }) => {
    const at = index.get(name) ?? -1;
    const join = data.joins[at];
    const read = join ? rightOf(join) : base;
    if (joined.find((one) => one.name === name)?.failed?.includes(column)) return 'broken';
    const aggregate = join?.aggregate && aggregates.get(at)?.find((one) => one.name === column);
    const columns = aggregate ? aggregate.reads.map((one) => one.column) : [column];
    if (columns.some((one) => read?.broken.has(one))) return 'broken';
    return columns.some((one) => read?.tainted.has(one)) ? 'tainted' : undefined;
  };
}
