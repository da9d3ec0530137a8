const names = (text: string): string[] => text.trim().split(/\s+/);

/**
 * What an expression may call, by name: scalar functions of DuckDB that give the same for the same arguments whatever
 * the time, the session and its settings, that build no lists, and whose result is hardly longer than their arguments
 * (those that make texts longer are bounded in `expression-growth.ts`). `docs/model-definition.md` lists them; a test
 * compares. Nothing is let through because DuckDB says that it is stable: `ago` and `current_setting` are macros, which
 * have no stability.
 */
export const allowedFunctions = {
  arithmetic: names(
    '+ - * / // % ** ^ @ & | ~ << >> !__postfix add subtract multiply divide mod xor abs sign signbit even ' +
      'gcd lcm bit_count',
  ),
  'numbers and angles': names(
    'ceil ceiling floor round trunc sqrt cbrt exp ln log log2 log10 pow power factorial gamma lgamma pi ' +
      'degrees radians sin cos tan cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh isnan isinf ' +
      'isfinite nextafter',
  ),
  choice: names('greatest least nullif'),
  text: names(
    '|| concat concat_ws length len strlen char_length character_length lower lcase upper ucase trim ltrim ' +
      'rtrim left right substr substring reverse replace translate split_part contains starts_with ends_with ' +
      'prefix suffix instr strpos position ascii unicode ord chr strip_accents nfc_normalize md5 sha1 sha256 ' +
      '^@',
  ),
  patterns: names(
    '~~ !~~ ~~* !~~* ~~~ like_escape not_like_escape ilike_escape not_ilike_escape regexp_matches ' +
      'regexp_full_match regexp_extract regexp_replace',
  ),
  'dates and times, without a zone': names(
    'year quarter month week weekofyear day dayofmonth dayofweek weekday isodow dayofyear isoyear yearweek ' +
      'decade century millennium era julian hour minute second millisecond microsecond epoch epoch_ms ' +
      'epoch_us epoch_ns date_part datepart date_trunc datetrunc date_diff datediff date_sub datesub age ' +
      'time_bucket last_day make_date make_time make_timestamp dayname monthname strftime strptime ' +
      'try_strptime',
  ),
  intervals: names(
    'to_microseconds to_milliseconds to_seconds to_minutes to_hours to_days to_weeks to_months to_quarters ' +
      'to_years to_decades to_centuries to_millennia',
  ),
} as const satisfies Record<string, readonly string[]>;

const allowed: ReadonlySet<string> = new Set(Object.values(allowedFunctions).flat());

export const isAllowedFunction = (name: string): boolean => allowed.has(name);

/**
 * `CASE`, `IN`, `BETWEEN` and comparisons are classes of their own; of the rest these are operators over values of one
 * row.
 */
export const allowedOperators: ReadonlySet<string> = new Set([
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_COALESCE',
  'OPERATOR_TRY',
  'COMPARE_IN',
  'COMPARE_NOT_IN',
]);

/**
 * Casts between these depend on no setting. A time with a zone, a collation, an enum, a list, JSON or bytes is none of
 * them.
 */
export const allowedTypes: ReadonlySet<string> = new Set(
  names(
    'BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT ' +
      'DOUBLE DECIMAL VARCHAR DATE TIME TIMESTAMP INTERVAL NULL',
  ),
);
