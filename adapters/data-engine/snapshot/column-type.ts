import { elementOf, type ColumnType, type ElementType } from '../../../domain/data/data-policy.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';

/** How a Parquet column of some SQL type is read as a declared type. All parts are SQL over the column. */
export interface ColumnReading {
  /** The value, exactly as it is stored; null where one of the doubts holds. */
  value: string;
  doubts: ColumnDoubt[];
}

/** Values that the declared type cannot hold as they are. */
export interface ColumnDoubt {
  rule: ValidationIssue['rule'];
  predicate: string;
  /** What is wrong with them, after the words "3 values of t.c", and what to do. */
  problem: string;
}

export const storedTypes = {
  integer: 'BIGINT',
  number: 'DOUBLE',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  boolean: 'BOOLEAN',
  'integer[]': 'BIGINT[]',
  'number[]': 'DOUBLE[]',
  'string[]': 'VARCHAR[]',
  'timestamp[]': 'TIMESTAMP[]',
  'boolean[]': 'BOOLEAN[]',
} as const satisfies Record<ColumnType, string>;

const integerTypes = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const isoTimestamp = String.raw`^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?$`;
/** The least whole number whose neighbour a float of this type cannot tell from it. */
const exactBelow: Record<string, { number: string; words: string }> = {
  FLOAT: { number: '16777216', words: '2^24' },
  DOUBLE: { number: '9007199254740992', words: '2^53' },
};

/**
 * Undefined when no value of `sqlType` can be read as `type`. A NaN is read as missing; a time without an offset is
 * UTC.
 */
export function columnReading(type: ColumnType, sqlType: string, column: string): ColumnReading | undefined {
  const element = elementOf(type);
  return element === undefined
    ? scalarReading(type as ElementType, sqlType, column)
    : listReading(element, sqlType, column);
}

/** A value of a list that is in doubt is missing in it, and the list has its length still. */
function listReading(element: ElementType, sqlType: string, column: string): ColumnReading | undefined {
  const inner = /^(.*)\[\d*\]$/.exec(sqlType)?.[1];
  const one = inner === undefined ? undefined : scalarReading(element, inner, 'one');
  if (one === undefined) return undefined;
  return {
    value: `list_transform(${column}, lambda one: ${one.value})`,
    doubts: one.doubts.map((doubt) => ({
      ...doubt,
      predicate: `len(list_filter(${column}, lambda one: ${doubt.predicate})) > 0`,
      problem: `hold values that ${doubt.problem}`,
    })),
  };
}

function scalarReading(type: ElementType, sqlType: string, column: string): ColumnReading | undefined {
  switch (type) {
    case 'integer':
      return integerReading(sqlType, column);
    case 'number':
      return numberReading(sqlType, column);
    case 'string':
      return sqlType === 'VARCHAR' ? reading(column, [nulDoubt(column)]) : undefined;
    case 'boolean':
      return sqlType === 'BOOLEAN' ? reading(column, []) : undefined;
    case 'timestamp':
      return timestampReading(sqlType, column);
  }
}

/** PostgreSQL, which keeps levels and reports, holds no NUL. */
export const nulDoubt = (column: string): ColumnDoubt => ({
  rule: 'unstorable-text',
  predicate: `contains(${column}, chr(0))`,
  problem: 'hold the character NUL (U+0000), which is not allowed in text. Remove it',
});

function integerReading(sqlType: string, column: string): ColumnReading | undefined {
  const fraction = (predicate: string) =>
    wrong(predicate, `are not ${typeWords.integer}. Correct them or the declared type`);
  const tooLarge = (value: string) =>
    wrong(
      `${column} IS NOT NULL AND TRY_CAST(${value} AS BIGINT) IS NULL`,
      'are outside the range of 64-bit integers (−9223372036854775808 to 9223372036854775807). Write the ' +
        'column as text and declare it string',
    );
  if (integerTypes.test(sqlType)) return reading(`TRY_CAST(${column} AS BIGINT)`, [tooLarge(column)]);
  if (sqlType.startsWith('DECIMAL'))
    return reading(`TRY_CAST(trunc(${column}) AS BIGINT)`, [
      fraction(`${column} <> trunc(${column})`),
      tooLarge(`trunc(${column})`),
    ]);
  const exact = exactBelow[sqlType];
  if (!exact) return undefined;
  const number = `CAST(${column} AS DOUBLE)`;
  return reading(`TRY_CAST(${column} AS BIGINT)`, [
    infinite(`isinf(${number})`),
    fraction(`isfinite(${number}) AND ${number} <> trunc(${number})`),
    wrong(
      `isfinite(${number}) AND abs(${number}) >= ${exact.number}`,
      `are ${exact.words} or more: a ${sqlType} column does not hold such whole numbers exactly. Write the ` +
        'column as integers',
    ),
  ]);
}

function numberReading(sqlType: string, column: string): ColumnReading | undefined {
  const number = `CAST(${column} AS DOUBLE)`;
  if (integerTypes.test(sqlType)) {
    const back = `TRY_CAST(${number} AS HUGEINT) IS DISTINCT FROM TRY_CAST(${column} AS HUGEINT)`;
    const inexact =
      'are whole numbers that a 64-bit float cannot hold exactly. Declare the column integer, ' +
      'or string for an identifier';
    return reading(number, [wrong(`${column} IS NOT NULL AND ${back}`, inexact)]);
  }
  if (!sqlType.startsWith('DECIMAL') && !(sqlType in exactBelow)) return undefined;
  return reading(`CASE WHEN NOT isnan(${number}) THEN ${number} END`, [infinite(`isinf(${number})`)]);
}

function timestampReading(sqlType: string, column: string): ColumnReading | undefined {
  const tooFine = (predicate: string) =>
    wrong(
      predicate,
      'have nanoseconds, and times are kept to the microsecond. Round them, or keep them in an integer column',
    );
  if (sqlType === 'DATE' || sqlType.startsWith('TIMESTAMP')) {
    // With the session in UTC this cast keeps the instant of a TIMESTAMP WITH TIME ZONE.
    const time = `TRY_CAST(${column} AS TIMESTAMP)`;
    return reading(time, [
      infinite(`NOT isfinite(${time})`),
      wrong(
        `${column} IS NOT NULL AND ${time} IS NULL`,
        'are outside the range of times. Leave them empty where the time is not known',
      ),
      ...(sqlType === 'TIMESTAMP_NS' ? [tooFine(`isfinite(${time}) AND epoch_ns(${column}) % 1000 <> 0`)] : []),
    ]);
  }
  if (sqlType !== 'VARCHAR') return undefined;
  const time =
    `CASE WHEN regexp_matches(${column}, '${isoTimestamp}') THEN CAST(TRY_CAST(${column} AS ` +
    'TIMESTAMPTZ) AS TIMESTAMP) END';
  return reading(time, [
    wrong(
      `${column} IS NOT NULL AND (${time}) IS NULL`,
      `are not ${typeWords.timestamp}. Correct them or the declared type`,
    ),
    tooFine(String.raw`(${time}) IS NOT NULL AND regexp_matches(${column}, '\.\d{6}0*[1-9]')`),
  ]);
}

/** The value is missing where it is in doubt. */
function reading(value: string, doubts: ColumnDoubt[]): ColumnReading {
  const inDoubt = doubts.map(({ predicate }) => `(${predicate})`).join(' OR ');
  return { value: doubts.length > 0 ? `CASE WHEN ${inDoubt} THEN NULL ELSE ${value} END` : value, doubts };
}

const wrong = (predicate: string, problem: string): ColumnDoubt => ({ rule: 'wrong-type', predicate, problem });

const infinite = (predicate: string): ColumnDoubt => ({
  rule: 'infinite',
  predicate,
  problem: 'are infinite. Leave them empty where the value is not known',
});

/** What a report calls the declared type. */
export const typeWords = {
  integer: 'whole numbers',
  number: 'numbers',
  string: 'text',
  timestamp: 'timestamps (TIMESTAMP, DATE or ISO 8601 text)',
  boolean: 'true or false',
  'integer[]': 'lists of whole numbers',
  'number[]': 'lists of numbers',
  'string[]': 'lists of texts',
  'timestamp[]': 'lists of timestamps',
  'boolean[]': 'lists of true or false',
} as const satisfies Record<ColumnType, string>;
