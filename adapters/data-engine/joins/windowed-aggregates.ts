import { z } from 'zod';
import { joinName, reachUs, takesExact } from '../../../domain/data/join.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { quoteName } from '../quote-sql.js';
import { aggregateCall, keyColumn } from './aggregate-sql.js';
import { joinText, type JoinStep } from './join-step.js';
import type { PlannedAggregate } from './plan-aggregates.js';

const countSchema = z.object({ tied: z.coerce.number() });
/** Microseconds; what lies beyond is no moment of a row, and cannot be subtracted from. */
const farthest = '4000000000000000000';

/**
 * For each key and moment that the left side asks for, the aggregates over the right table's rows in
 * `[moment − window, moment)`, or up to and with the moment where `exact` is `include`.
 *
 * Rows and questions of a key are put into one order in which nothing is tied but equal rows, and each question takes
 * the rows right before it: the same rows give the same bytes, floats too, in whatever order they came.
 */
export async function windowedAggregates(
  step: JoinStep,
  result: string,
  wanted: readonly PlannedAggregate[],
): Promise<ValidationIssue[]> {
  const { session, join, on, alias } = step;
  const moments = quoteName(`moments:${alias}`);
  await session.run(`CREATE TABLE ${moments} AS ${rowsAndQuestions(step, wanted)}`);
  const key = on.map((_, index) => keyColumn(index)).join(', ');
  const frame = reachUs(join) === undefined ? 'UNBOUNDED PRECEDING' : '"reach:" PRECEDING';
  const selected = wanted.map((one, index) => `${windowSql(one, index)} AS ${quoteName(one.name)}`);
  const ambiguous = wanted.flatMap(({ fn }, index) =>
    fn === 'first' || fn === 'last' ? [`coalesce(${newest(fn, `"ties:${index}"`, index)}, 0) > 1`] : [],
  );
  const answers = [key, '"at:"', '"row:"', ...selected, `${ambiguous.join(' OR ') || 'false'} AS "tied:"`];
  await session.run(
    `CREATE TABLE ${result} AS SELECT * EXCLUDE ("row:") FROM (SELECT ${answers.join(', ')} ` +
      `FROM (${inPlace(step, { key, moments, wanted })}) ` +
      `WINDOW earlier AS (PARTITION BY ${key} ORDER BY "place:" ROWS BETWEEN ${frame} AND 1 PRECEDING)) ` +
      'WHERE NOT "row:"',
  );
  await session.run(`DROP TABLE ${moments}`);
  return ambiguous.length === 0 ? [] : tied(step, result);
}

/**
 * Rows and questions with their place within the key, how many of them lie in the window before each, and how many rows
 * nothing tells apart from each.
 */
function inPlace(
  { join }: JoinStep,
  { key, moments, wanted }: { key: string; moments: string; wanted: readonly PlannedAggregate[] },
): string {
  const [exact, reach] = [takesExact(join), reachUs(join)];
  const orderBy = (join.asOf?.orderBy ?? []).map((_, index) => `"order:${index}"`);
  const values = wanted.flatMap((_, index) => [`"of:${index}"`, `"if:${index}"`]);
  // A question stands before the rows of its own moment, or after them where they count.
  const order = [
    `"at:"`,
    `"row:" ${exact ? 'DESC' : 'ASC'}`,
    ...[...orderBy, ...values].map((one) => `${one} NULLS FIRST`),
  ];
  const counted = [`row_number() OVER (PARTITION BY ${key} ORDER BY ${order.join(', ')}) AS "place:"`];
  if (reach !== undefined) {
    const range = `RANGE BETWEEN ${reach} PRECEDING AND ${exact ? 'CURRENT ROW' : '1 PRECEDING'}`;
    counted.push(`count(*) OVER (PARTITION BY ${key} ORDER BY "at:" ${range})${exact ? ' - 1' : ''} AS "reach:"`);
  }
  for (const [index, { fn }] of wanted.entries()) {
    if (fn !== 'first' && fn !== 'last') continue;
    const alike = [key, '"at:"', ...orderBy].join(', ');
    counted.push(`count(*) FILTER (WHERE "row:" AND "if:${index}") OVER (PARTITION BY ${alike}) AS "ties:${index}"`);
  }
  return `SELECT *, ${counted.join(', ')} FROM ${moments}`;
}

function rowsAndQuestions({ join, on, right, before, moment }: JoinStep, wanted: readonly PlannedAggregate[]): string {
  const time = quoteName(join.asOf?.time ?? '');
  const orderBy = join.asOf?.orderBy ?? [];
  const key = (side: 'left' | 'right') =>
    on.map((pair, index) => `${side === 'left' ? pair.left : quoteName(pair.right)} AS ${keyColumn(index)}`);
  const known = (columns: readonly string[], at: string) =>
    [...columns.map((one) => `${one} IS NOT NULL`), `isfinite(${at})`, `abs(epoch_us(${at})) < ${farthest}`].join(
      ' AND ',
    );
  const questions =
    `SELECT DISTINCT ${[...key('left'), `epoch_us(${moment}) AS "at:"`].join(', ')} FROM ${before} ` +
    `WHERE ${known(
      on.map(({ left }) => left),
      moment,
    )}`;
  const rows = [
    ...key('right'),
    `epoch_us(${time}) AS "at:"`,
    'true AS "row:"',
    ...orderBy.map((column, index) => `${quoteName(column)} AS "order:${index}"`),
    ...wanted.flatMap(({ of, filter }, index) => [
      `${of ?? 'true'} AS "of:${index}"`,
      `coalesce(${filter ?? 'true'}, false) AS "if:${index}"`,
    ]),
  ];
  return (
    `SELECT ${rows.join(', ')} FROM ${right} AS ${quoteName(joinName(join))} ` +
    `WHERE ${known(
      on.map((pair) => quoteName(pair.right)),
      time,
    )} ` +
    `UNION ALL BY NAME SELECT *, false AS "row:" FROM (${questions})`
  );
}

function windowSql({ fn, type }: PlannedAggregate, index: number): string {
  if (fn === 'first' || fn === 'last') return newest(fn, `"of:${index}"`, index);
  const call = `${aggregateCall(fn, `"of:${index}"`)} FILTER (WHERE "row:" AND "if:${index}") OVER earlier`;
  return fn === 'sum' && type === 'integer' ? `CAST(${call} AS BIGINT)` : call;
}

const newest = (fn: 'first' | 'last', sql: string, index: number): string =>
  `${fn === 'last' ? 'arg_max_null' : 'arg_min_null'}(${sql}, "place:") ` +
  `FILTER (WHERE "row:" AND "if:${index}") OVER earlier`;

async function tied(step: JoinStep, result: string): Promise<ValidationIssue[]> {
  const { session, join, base } = step;
  const [count] = await session.rows(`SELECT count(*) AS tied FROM ${result} WHERE "tied:"`, countSchema);
  if (!count || count.tied === 0) return [];
  const time = join.asOf?.time ?? '';
  const message =
    `What is first or last of ${joinText(step)} is ambiguous at ${count.tied} moments of ${base}: ${join.table} has ` +
    `several rows of one key and ${time}. Keep one row for each, or say with asOf.orderBy which of them is the last.`;
  return [{ rule: 'as-of-tie', table: join.table, column: time, message, rows: count.tied, examples: [] }];
}
