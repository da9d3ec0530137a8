import type { Contract } from './contract.js';
import type { ColumnType } from './column-type.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { joinColumns, joinName, type Join } from './join.js';
import { dataSources, type DataSource, type JoinedData } from './source-tables.js';

/** The source on the left of a join: the base, or an earlier join. Undefined where `from` names none. */
export function leftSource(data: JoinedData, index: number): DataSource | undefined {
  const from = data.joins[index]?.from;
  const [base, ...joins] = dataSources(data);
  if (from === undefined || from === data.base) return base;
  return joins.slice(0, index).find(({ name }) => name === from);
}

/** Tables and columns that joins name and that are not there: what no version of the product has let through. */
export function missingJoinColumns(data: JoinedData): { path: (string | number)[]; message: string }[] {
  return data.joins.flatMap((join, index) => {
    const path = ['joins', index];
    const right = Object.hasOwn(data.tables, join.table) ? data.tables[join.table] : undefined;
    const left = leftSource(data, index);
    return [
      ...(right ? [] : [{ path: [...path, 'table'], message: `no table is called ${join.table}` }]),
      ...(left ? [] : [{ path: [...path, 'from'], message: whyNotLeft(data, index) }]),
      ...joinColumns(join).flatMap((pair) => [
        ...(right && !(pair.right in right.columns)
          ? [{ path: [...path, 'on'], message: `${pair.right} is not a column of ${join.table}` }]
          : []),
        // A base that is no table is named by itself.
        ...(left && Object.hasOwn(data.tables, left.table) && !(pair.left in left.columns)
          ? [{ path: [...path, 'on'], message: `${pair.left} is not a column of ${left.name}` }]
          : []),
      ]),
    ];
  });
}

function whyNotLeft({ base, joins }: JoinedData, index: number): string {
  const names = joins.map(joinName);
  const seen = [index];
  for (let at = names.indexOf(joins[index]?.from ?? ''); at >= 0; at = names.indexOf(joins[at]?.from ?? '')) {
    if (seen.includes(at))
      return `goes round in a circle (${[...seen, at].map((one) => names[one]).join(' → ')}): begin at ${base}`;
    seen.push(at);
  }
  const from = joins[index]?.from ?? '';
  if (names.includes(from)) return `${from} is joined later: put its join before this one`;
  const earlier = [base, ...names.slice(0, index)].join(', ');
  return `no earlier join is called ${from}; there are ${earlier}`;
}

/** What is wrong with joins of tables and columns that are all there. */
export function joinProblems(data: JoinedData): DefinitionProblem[] {
  return data.joins.flatMap((join, index) => {
    const at = (field: string) => `data.joins[${index}]${field}`;
    return [
      ...typeProblems(data, index),
      ...selfProblems(data, join).map((message) => ({ path: at('.table'), message })),
      ...asOfProblems(data, join).map(([field, message]) => ({ path: at(field), message })),
      ...aggregateProblems(join).map(([field, message]) => ({ path: at(field), message })),
    ];
  });
}

/** Joins on columns of two types: nothing would match, or something by chance. */
function typeProblems(data: JoinedData, index: number): DefinitionProblem[] {
  const join = data.joins[index];
  const source = leftSource(data, index);
  if (!join || !source) return [];
  return joinColumns(join).flatMap((pair) => {
    const [left, right] = [source.columns[pair.left], data.tables[join.table]?.columns[pair.right]];
    if (left === undefined || right === undefined || comparable(left, right)) return [];
    const message =
      pair.left === pair.right
        ? `${pair.left} is declared ${left} in ${source.name} and ${right} in ${join.table}: declare one type`
        : `${source.name}.${pair.left} is declared ${left} and ${join.table}.${pair.right} ${right}: declare one type`;
    return [{ path: `data.joins[${index}].on`, message }];
  });
}

function selfProblems({ base }: JoinedData, join: Join): string[] {
  if (join.table !== base) return [];
  if (join.as === undefined)
    return [`${base} is the base: it cannot be joined to itself, unless under another name (as)`];
  return join.asOf ? [] : [`${base} is the base: joined to itself it needs asOf, or a row would meet itself`];
}

function asOfProblems({ base, tables }: JoinedData, { table, asOf }: Join): [string, string][] {
  if (!asOf) return [];
  const typeOf = (of: string, column: string) =>
    Object.hasOwn(tables[of]?.columns ?? {}, column) ? tables[of]?.columns[column] : undefined;
  const spans = [asOf.toleranceMinutes, asOf.toleranceHours, asOf.toleranceDays].filter((one) => one !== undefined);
  const timestamp = (field: string, of: string, column: string): [string, string][] => {
    const type = typeOf(of, column);
    if (type === 'timestamp') return [];
    const what = type === undefined ? `${column} is not a column of ${of}` : `${column} of ${of} is declared ${type}`;
    return [[`.asOf.${field}`, `${what}: name a timestamp column of ${of}`]];
  };
  return [
    ...timestamp('time', table, asOf.time),
    ...(asOf.leftTime === undefined ? [] : timestamp('leftTime', base, asOf.leftTime)),
    ...(spans.length > 1
      ? [['.asOf', 'has more than one tolerance: give one of toleranceMinutes, toleranceHours, toleranceDays'] as const]
      : []),
    ...(asOf.orderBy ?? [])
      .filter((column) => typeOf(table, column) === undefined)
      .map((column) => ['.asOf.orderBy', `${column} is not a column of ${table}`] as const),
  ].map(([field, message]) => [field, message]);
}

function aggregateProblems({ aggregate, asOf, window }: Join): [string, string][] {
  const problems: [string, string][] = [];
  const tolerance = [asOf?.toleranceMinutes, asOf?.toleranceHours, asOf?.toleranceDays].some(
    (one) => one !== undefined,
  );
  if (window && !aggregate) problems.push(['.window', 'is for an aggregate: a tolerance of asOf bounds a single row']);
  if (window && !asOf) problems.push(['.window', 'needs asOf, which says from which moment it looks back']);
  const spans = window ? Object.values(window).filter((one) => one !== undefined) : [];
  if (window && (spans.length !== 1 || spans[0] === 0))
    problems.push(['.window', 'must have exactly one of minutes, hours and days, greater than 0']);
  if (!aggregate) return problems;
  if (Object.keys(aggregate).length === 0) problems.push(['.aggregate', 'names no aggregate']);
  if (tolerance) problems.push(['.asOf', 'has a tolerance, which is for a single row: give the aggregate a window']);
  for (const [name, { fn, of }] of Object.entries(aggregate)) {
    if (of === undefined && fn !== 'count')
      problems.push([`.aggregate.${name}`, `${fn} needs of: the column or expression that it is taken of`]);
    if ((fn === 'first' || fn === 'last') && !asOf)
      problems.push([`.aggregate.${name}`, `${fn} needs asOf, which says what is first and last`]);
  }
  return problems;
}

/** As-of joins by the event time, where that is no column of the base. */
export function momentProblems({ eventTime }: Pick<Contract, 'eventTime'>, data: JoinedData): DefinitionProblem[] {
  const type = data.tables[data.base]?.columns[eventTime];
  return data.joins.flatMap(({ asOf }, index) =>
    !asOf || asOf.leftTime !== undefined || type === 'timestamp'
      ? []
      : [
          {
            path: `data.joins[${index}].asOf.leftTime`,
            message: `is missing: contract.eventTime (${eventTime}) is no timestamp column of ${data.base}`,
          },
        ],
  );
}

/** Whether columns of these declared types can be joined on. */
function comparable(left: ColumnType, right: ColumnType): boolean {
  const numeric = (type: ColumnType) => type === 'integer' || type === 'number';
  return left === right || (numeric(left) && numeric(right));
}
