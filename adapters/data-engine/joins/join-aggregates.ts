import { joinName } from '../../../domain/data/join.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { firstLine } from '../expressions/bind-expressions.js';
import { isQueryError } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';
import { joinText, rightColumns, type JoinedRows, type JoinStep } from './join-step.js';
import type { PlannedAggregate } from './plan-aggregates.js';
import { aggregateCall, keyColumn } from './aggregate-sql.js';
import { windowedAggregates } from './windowed-aggregates.js';

/**
 * Aggregates of the right table's rows of a key; with `asOf` of those before the moment of the base row. Where there
 * are no rows, counts are 0 and everything else is missing.
 */
export async function joinAggregates(step: JoinStep, planned: readonly PlannedAggregate[]): Promise<JoinedRows> {
  const { session, join, alias, on, moment, used } = step;
  const wanted = planned.filter(({ name }) => used.includes(name));
  const counts = new Set(wanted.filter(({ fn }) => fn === 'count' || fn === 'countDistinct').map(({ name }) => name));
  const value = (column: string) => {
    const sql = `${alias}.${quoteName(column)}`;
    return counts.has(column) ? `coalesce(${sql}, 0)` : sql;
  };
  const groups = quoteName(`aggregates:${alias}`);
  try {
    const issues = join.asOf ? await windowedAggregates(step, groups, wanted) : [];
    if (!join.asOf) await session.run(`CREATE TABLE ${groups} AS ${grouped(step, wanted)}`);
    const equal = on.map((pair, index) => `${pair.left} = ${alias}.${keyColumn(index)}`);
    const same = join.asOf ? [...equal, `epoch_us(${moment}) = ${alias}."at:"`] : equal;
    return { clause: `LEFT JOIN ${groups} ${alias} ON ${same.join(' AND ')}`, value, issues };
  } catch (error) {
    if (!isQueryError(error)) throw error;
    return { clause: '', value: () => 'NULL', issues: [failure(step, error)], failed: planned.map(({ name }) => name) };
  }
}

function grouped(step: JoinStep, wanted: readonly PlannedAggregate[]): string {
  const keys = rightColumns(step);
  const selected = [
    ...keys.map((key, index) => `${key} AS ${keyColumn(index)}`),
    ...wanted.map((one) => `${groupSql(one)} AS ${quoteName(one.name)}`),
  ];
  return (
    `SELECT ${selected.join(', ')} FROM ${step.right} AS ${quoteName(joinName(step.join))} ` +
    `WHERE ${keys.map((key) => `${key} IS NOT NULL`).join(' AND ')} GROUP BY ${keys.join(', ')}`
  );
}

/** Sums of floats depend on the order of their parts: it is that of the values, however the rows came. */
function groupSql({ fn, of, filter, type }: PlannedAggregate): string {
  const call = aggregateCall(fn, of ?? '*', (sql) => `${sql} ORDER BY ${sql}`);
  const filtered = filter === undefined ? call : `${call} FILTER (WHERE ${filter})`;
  return fn === 'sum' && type === 'integer' ? `CAST(${filtered} AS BIGINT)` : filtered;
}

function failure(step: JoinStep, error: Error): ValidationIssue {
  const message =
    `aggregates of ${joinText(step)} fail on the data: ${firstLine(error)}. Correct the data, or make the ` +
    'expressions tolerate it (TRY_CAST, TRY).';
  return { rule: 'expression', table: step.join.table, column: null, message, rows: null, examples: [] };
}
