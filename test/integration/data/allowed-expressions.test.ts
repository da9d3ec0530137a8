import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { allowedFunctions } from '../../../adapters/data-engine/expressions/allowed-functions.js';
import { bindExpressions } from '../../../adapters/data-engine/expressions/bind-expressions.js';
import { openDuckSession, type DuckSession } from '../../../adapters/data-engine/duck-session.js';
import { createExpressionParser, type ExpressionParser } from '../../../adapters/data-engine/expressions/expression.js';
import type { ColumnSources } from '../../../adapters/data-engine/expressions/source-columns.js';

const data: ColumnSources = [
  { name: 'rows', columns: { n: 'integer', x: 'number', t: 'string', sold: 'timestamp', yes: 'boolean' } },
  { name: 'shops', columns: { n: 'integer', opened: 'timestamp' } },
];

let folder: string;
let session: DuckSession;
let parser: ExpressionParser;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-allowed-'));
  session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 128 });
  parser = createExpressionParser(session, data);
});
afterAll(async () => {
  session.close();
  await rm(folder, { recursive: true, force: true });
});

const problemOf = async (text: string): Promise<string> => {
  const parsed = await parser.parse(text);
  return 'problem' in parsed ? parsed.problem : '';
};

describe('an expression may', () => {
  it.each([
    'x + n * 2 - 1 / x // 3 % 7',
    'x ** 2 + 2 ^ n',
    '-x',
    '@n',
    'n & 1 | 2',
    'round(x, 2)',
    "CASE WHEN t = 'a' THEN 1 ELSE NULL END",
    "t IN ('a', 'b') AND n NOT IN (1, 2)",
    'x BETWEEN 1 AND 2 OR x IS NULL',
    'coalesce(x, n, 0)',
    "ifnull(t, '') || t",
    'nullif(n, 3)',
    'if(yes, 1, 0)',
    'yes IS NOT TRUE',
    'x IS DISTINCT FROM n',
    "t LIKE 'a%' AND t NOT ILIKE '%b' AND t SIMILAR TO 'a+' AND t LIKE '5!%' ESCAPE '!'",
    "regexp_replace(t, '[^0-9]', '', 'g')",
    "replace(replace(replace(t, ' ', ''), '&', 'and'), '-', '')",
    "split_part(t, '-', 2)",
    "concat_ws('-', t, n)",
    'EXTRACT(dow FROM sold)',
    "date_trunc('week', sold)",
    "sold + INTERVAL 3 DAY > shops.opened - INTERVAL '2 hours'",
    "date_diff('day', shops.opened, sold)",
    'age(sold, opened)',
    "strftime(sold, '%Y-%m')",
    "epoch(try_strptime(t, '%d.%m.%Y'))",
    "DATE '2024-01-01'",
    'make_date(n, 1, 1)',
    'TRY_CAST(t AS DECIMAL(10, 2))',
    't::INTEGER',
    'TRY(CAST(t AS DOUBLE))',
    'hour(sold) -- in UTC',
    'NULL',
    "position('a' IN t) + length(trim(t))",
  ])('be %s', async (text) => {
    const parsed = await parser.parse(text);
    expect(parsed).not.toHaveProperty('problem');
    if ('sql' in parsed) expect((await bindExpressions(session, data, [parsed]))[0]).toHaveProperty('type');
  });
});

describe('an expression may not', () => {
  it.each([
    // What depends on when, where and with which settings it is asked.
    ['ago(INTERVAL 1 DAY)', 'ago'],
    ['current_localtimestamp()', 'current_localtimestamp'],
    ['get_current_timestamp()', 'get_current_timestamp'],
    ['now()', 'now'],
    ['today()', 'today'],
    ['current_date', 'current_date'],
    ['current_timestamp', 'current_timestamp'],
    ['transaction_timestamp()', 'transaction_timestamp'],
    ['age(sold)', 'today'],
    ["current_setting('memory_limit')", 'current_setting'],
    ["getvariable('v')", 'getvariable'],
    ["getenv('HOME')", 'getenv'],
    ['version()', 'version'],
    ['random()', 'random'],
    ['setseed(0.5)', 'setseed'],
    ['uuid()', 'uuid'],
    ['gen_random_uuid()', 'gen_random_uuid'],
    ['txid_current()', 'txid_current'],
    ["nextval('s')", 'nextval'],
    ["currval('s')", 'currval'],
    ['current_user', 'current_user'],
    ['current_database()', 'current_database'],
    ['pg_typeof(x)', 'pg_typeof'],
    ['pg_sleep(10)', 'pg_sleep'],
    ['sleep_ms(1000)', 'sleep_ms'],
    ["error('x')", 'error'],
    ["write_log('x')", 'write_log'],
    ['hash(t)', 'hash'],
    ['typeof(x)', 'typeof'],
    ['alias(x)', 'alias'],
    ["icu_sort_key(t, 'de')", 'icu_sort_key'],
    ["timezone('Europe/Berlin', sold)", 'timezone'],
    ["sold AT TIME ZONE 'Europe/Berlin'", 'timezone'],
    ['to_timestamp(n)', 'to_timestamp'],
    ['make_timestamptz(n)', 'make_timestamptz'],
    ['CAST(sold AS TIMESTAMPTZ)', 'TIMESTAMP WITH TIME ZONE'],
    ["TIMESTAMPTZ '2024-01-01'", 'TIMESTAMP WITH TIME ZONE'],
    ['t::TIMETZ', 'TIME WITH TIME ZONE'],
    ["strptime(t, '%Y-%m-%d %z')", '%z'],
    ["strftime(sold, '%Z')", '%Z'],
    ['strftime(sold, t)', 'constant'],
    ['t COLLATE de', 'collate'],
    // What reads anything but the row.
    ['avg(x)', 'avg'],
    ['count(*)', 'count'],
    ['geomean(x)', 'geomean'],
    ['wavg(x, n)', 'wavg'],
    ['json_group_array(x)', 'json_group_array'],
    ["string_agg(t, ',')", 'string_agg'],
    ['row_number() OVER ()', 'window'],
    ['lag(x) OVER (ORDER BY sold)', 'window'],
    ['(SELECT 1)', 'subquery'],
    ['EXISTS (SELECT 1)', 'subquery'],
    ['x IN (SELECT 1)', 'subquery'],
    ["read_text('/etc/passwd')", 'read_text'],
    ["glob('*')", 'glob'],
    ['*', 'star'],
    ['COLUMNS(*)', 'star'],
    ['#1', 'positional reference'],
    ['$1', 'parameter'],
    ['?', 'parameter'],
    ['DEFAULT', 'default'],
    ['grouping(x)', 'grouping'],
    ['abs(DISTINCT x)', 'DISTINCT'],
    ['abs(x) FILTER (WHERE yes)', 'FILTER'],
    ['1; SELECT 2', 'syntax error'],
    ['x, n', 'row'],
    ['shops', 'not a declared column'],
    ['rows.n.z', 'write column or table.column'],
    // Lists, structs and what is made of bytes.
    ['[1, 2]', 'list_value'],
    ['t[1]', 'array extract'],
    ['{a: 1}', 'struct_pack'],
    ['list_sum([1])', 'list_sum'],
    ['array_value(1)', 'array_value'],
    ['range(1000000000)', 'range'],
    ['generate_series(1, 1000000000)', 'generate_series'],
    ['list_transform([1], z -> z)', 'list_transform'],
    ['z -> z + 1', 'lambda'],
    ["string_split(t, '')", 'string_split'],
    ['t::JSON', 'JSON'],
    ["json_extract(t, '$')", 'json_extract'],
    ['t::BLOB', 'BLOB'],
    ['t::BIT', 'BIT'],
    ['t::UUID', 'UUID'],
    ["t::ENUM('a')", 'ENUM'],
    ['t::INTEGER[]', 'LIST'],
    ['t::STRUCT(a INTEGER)', 'STRUCT'],
    ['t::NOWHERE', 'NOWHERE'],
    // What makes much of little.
    ["lpad('a', 2000000000, 'b')", 'lpad'],
    ["rpad('a', 2000000000, 'b')", 'rpad'],
    ["repeat(repeat('a', 100000), 100000)", 'repeat'],
    ["'a' * 3 || repeat(t, n)", 'repeat'],
    ["printf('%1000000000d', n)", 'printf'],
    ["format('{:1000000000}', n)", 'format'],
    ['bar(x, 0, 1, 1000000000)', 'bar'],
    ['to_base(n, 2, 64)', 'to_base'],
    ['hex(t)', 'hex'],
    ['levenshtein(t, t)', 'levenshtein'],
    ["replace(t, 'a', t)", 'constant'],
    [
      `replace(replace(replace(replace(t, 'a', '${'a'.repeat(10)}'), 'a', '${'a'.repeat(10)}'), 'a', ` +
        `'${'a'.repeat(10)}'), 'a', 'aa')`,
      'times longer',
    ],
    [
      `regexp_replace(regexp_replace(t, '.', '${'x'.repeat(100)}', 'g'), '(.*)', '${String.raw`\1`.repeat(20)}')`,
      'times longer',
    ],
    [`concat(${'t, '.repeat(1001)}t)`, 'times longer'],
    [`concat(${'t, '.repeat(40_000)}t)`, 'characters'],
    // What is no SQL at all.
    ['', 'syntax error'],
    ['x +', 'syntax error'],
    ['x BETWEEN SYMMETRIC 1 AND 2', 'T_List'],
    ['1e500', 'too large'],
    ['x\0', 'NUL'],
    ['pg_catalog.abs(x)', 'without a schema'],
  ])('be %s', async (text, reason) => {
    expect(await problemOf(text)).toContain(reason);
  });
});

describe('every function of the list', () => {
  const listed = Object.values(allowedFunctions).flat();

  it('is one that DuckDB has, of one row, and stable where DuckDB says anything of it', async () => {
    const rowSchema = z.object({ name: z.string(), kinds: z.string() });
    const rows = await session.rows(
      `SELECT lower(function_name) AS name, string_agg(DISTINCT function_type || ' ' || coalesce(stability, ''),
        ', ') AS kinds
       FROM duckdb_functions() GROUP BY ALL`,
      rowSchema,
    );
    const kinds = new Map(rows.map(({ name, kinds: of }) => [name, of]));
    const macros = listed.filter((name) => kinds.get(name) === 'macro ');
    expect(macros.sort()).toEqual(['nullif', 'split_part']);
    expect(listed.filter((name) => !macros.includes(name) && kinds.get(name) !== 'scalar CONSISTENT')).toEqual([]);
  });

  it('stands there once', () => {
    expect(listed.filter((name, index) => listed.indexOf(name) !== index)).toEqual([]);
  });
});
