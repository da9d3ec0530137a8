import type { ColumnType } from '../../domain/data-policy.js';

/** How a Parquet column of some SQL type is read as a declared type. All parts are SQL over the column. */
export interface ColumnReading {
  /** The value as stored; null where `wrong` or `infinite`. */
  value: string;
  /** True for a value that the declared type cannot hold. */
  wrong: string;
  /** True for an infinity. */
  infinite: string;
}

export const storedTypes = {
  integer: 'BIGINT',
  number: 'DOUBLE',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  boolean: 'BOOLEAN',
} as const satisfies Record<ColumnType, string>;

const integerTypes = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const isoTimestamp = String.raw`^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?$`;

/** Undefined when no value of `sqlType` can be read as `type`. A NaN is read as missing; a time without an offset is UTC. */
export function columnReading(type: ColumnType, sqlType: string, column: string): ColumnReading | undefined {
  const plain = (value: string): ColumnReading => ({ value, wrong: 'false', infinite: 'false' });
  const fractional = sqlType === 'FLOAT' || sqlType === 'DOUBLE';
  const decimal = sqlType.startsWith('DECIMAL');
  switch (type) {
    case 'integer': {
      if (integerTypes.test(sqlType)) {
        return {
          value: `TRY_CAST(${column} AS BIGINT)`,
          wrong: `${column} IS NOT NULL AND TRY_CAST(${column} AS BIGINT) IS NULL`,
          infinite: 'false',
        };
      }
      if (!fractional && !decimal) return undefined;
      const number = `CAST(${column} AS DOUBLE)`;
      const whole = `(isfinite(${number}) AND ${number} = trunc(${number}) AND abs(${number}) < 9223372036854775808.0)`;
      return {
        value: `CASE WHEN ${whole} THEN CAST(${column} AS BIGINT) END`,
        wrong: `isfinite(${number}) AND NOT ${whole}`,
        infinite: `isinf(${number})`,
      };
    }
    case 'number': {
      if (!fractional && !decimal && !integerTypes.test(sqlType)) return undefined;
      const number = `CAST(${column} AS DOUBLE)`;
      return { value: `CASE WHEN NOT isnan(${number}) THEN ${number} END`, wrong: 'false', infinite: `isinf(${number})` };
    }
    case 'string':
      return sqlType === 'VARCHAR' ? plain(column) : undefined;
    case 'boolean':
      return sqlType === 'BOOLEAN' ? plain(column) : undefined;
    case 'timestamp': {
      const infinite = `NOT isfinite(CAST(${column} AS TIMESTAMP))`;
      if (sqlType === 'DATE' || sqlType.startsWith('TIMESTAMP')) {
        // With the session in UTC this cast keeps the instant of a TIMESTAMP WITH TIME ZONE.
        return {
          value: `CASE WHEN isfinite(CAST(${column} AS TIMESTAMP)) THEN CAST(${column} AS TIMESTAMP) END`,
          wrong: 'false',
          infinite,
        };
      }
      if (sqlType !== 'VARCHAR') return undefined;
      const instant = `CASE WHEN regexp_matches(${column}, '${isoTimestamp}') THEN CAST(TRY_CAST(${column} AS TIMESTAMPTZ) AS TIMESTAMP) END`;
      return { value: instant, wrong: `${column} IS NOT NULL AND (${instant}) IS NULL`, infinite: 'false' };
    }
  }
}

/** What a report calls the declared type. */
export const typeWords = {
  integer: 'whole numbers',
  number: 'numbers',
  string: 'text',
  timestamp: 'timestamps (TIMESTAMP, DATE or ISO 8601 text)',
  boolean: 'true or false',
} as const satisfies Record<ColumnType, string>;
