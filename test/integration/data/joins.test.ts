import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expressionFindings } from '../../../adapters/data-engine/expressions/check-expressions.js';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { validateAndShapePartition } from '../../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../domain/data/data-policy.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { openSalesBench, theIssue, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
beforeAll(async () => {
  bench = await openSalesBench();
});
afterAll(async () => {
  await bench.close();
});

const tables = {
  trips: {
    columns: {
      id: 'integer',
      left_at: 'timestamp',
      origin: 'string',
      dest: 'string',
      tail_num: 'string',
      late: 'boolean',
    },
  },
  weather: { columns: { airport: 'string', hour: 'timestamp', temp: 'number', rev: 'integer' } },
  planes: { partitioned: false, columns: { tailnum: 'string', maker: 'string' } },
  makers: { partitioned: false, columns: { name: 'string', country: 'string' } },
};
const number = (from: string) => ({ type: 'number', nullable: true, from });
const text = (from: string) => ({ type: 'string', nullable: true, from });

function definitionOf(joins: unknown[], features: Record<string, unknown>) {
  return {
    name: 'trips',
    contract: contractSchema.parse({
      entity: ['id'],
      eventTime: 'left_at',
      label: { name: 'late', type: 'boolean' },
      features,
    }),
    data: dataPolicySchema.parse({ tables, base: 'trips', joins, window: { kind: 'expanding', from: '2024-02' } }),
  };
}

const trips = `SELECT * FROM (VALUES
  (1, TIMESTAMP '2024-02-10 10:00', 'JFK', 'BOS', 'N1', true),
  (2, TIMESTAMP '2024-02-10 10:00', 'BOS', 'JFK', 'N2', false),
  (3, TIMESTAMP '2024-02-12 00:00', 'JFK', 'BOS', NULL, true),
  (4, TIMESTAMP '2024-02-12 00:00', NULL, 'JFK', 'N9', false))
  t(id, left_at, origin, dest, tail_num, late)`;
const weather = `SELECT * FROM (VALUES
  ('JFK', TIMESTAMP '2024-02-10 10:00', 1.0, 1), ('JFK', TIMESTAMP '2024-02-10 10:00:00.000001', 99.0, 1),
  ('JFK', TIMESTAMP '2024-02-10 08:00', 2.0, 1), ('BOS', TIMESTAMP '2024-02-10 09:30', 3.0, 1),
  ('BOS', TIMESTAMP '2024-02-11 23:00', NULL, 1), (NULL, TIMESTAMP '2024-02-10 09:00', 66.0, 1), ('JFK', NULL, 77.0, 1))
  w(airport, hour, temp, rev)`;
const planes = `SELECT * FROM (VALUES ('N1', 'Boeing'), ('N2', 'Airbus'), ('N3', 'Boeing')) p(tailnum, maker)`;
const makers = `SELECT * FROM (VALUES ('Boeing', 'US'), ('Airbus', 'FR')) m(name, country)`;

let files = 0;

/** The features of the trips by their id; or the report where they are refused. */
async function shaped(joins: unknown[], features: Record<string, unknown>, sql: Partial<Record<string, string>> = {}) {
  const source = { trips, weather, planes, makers, ...sql };
  const tableFiles: Record<string, string[]> = {};
  for (const [table, query] of Object.entries(source))
    tableFiles[table] = [await bench.write(`${table}-${(files += 1)}`, query)];
  return validateAndShapePartition({
    definition: definitionOf(joins, features),
    partition: '2024-02',
    tableFiles,
    workDir: `${bench.folder}/joins`,
    previous: [],
    openSession: openDuckSession,
  });
}

async function rowsOf(...asked: Parameters<typeof shaped>) {
  const { file, report } = await shaped(...asked);
  if (!file) throw new Error(JSON.stringify(report.issues));
  const names = Object.keys(asked[1]);
  const read = await bench.connection.runAndReadAll(`SELECT ${names.join(', ')} FROM '${file.path}' ORDER BY id`);
  return read.getRowsJson();
}

describe('a join', () => {
  it('goes on from an earlier one, on columns of different names', async () => {
    const joins = [
      { table: 'planes', on: [{ left: 'tail_num', right: 'tailnum' }] },
      { table: 'makers', from: 'planes', on: [{ left: 'maker', right: 'name' }] },
    ];
    expect(await rowsOf(joins, { country: text('country') })).toEqual([['US'], ['FR'], [null], [null]]);
  });

  it('takes one table twice under two names', async () => {
    const side = (column: string) => ({
      table: 'weather',
      as: `${column}_weather`,
      on: [{ left: column, right: 'airport' }],
      asOf: { time: 'hour' },
    });
    const features = { a: number('origin_weather.temp'), b: number('dest_weather.temp') };
    expect(await rowsOf([side('origin'), side('dest')], features)).toEqual([
      [1, 3],
      [3, 1],
      [99, null],
      [null, 99],
    ]);
  });

  it('that would multiply rows along a chain is reported with the base rows that it would multiply', async () => {
    const joins = [
      { table: 'planes', on: [{ left: 'tail_num', right: 'tailnum' }] },
      { table: 'makers', from: 'planes', on: [{ left: 'maker', right: 'name' }] },
    ];
    const more = [`'Boeing', 'CA'`, `'Cessna', 'US'`, `'Cessna', 'US'`];
    const twice = [makers, ...more.map((row) => `SELECT ${row}`)].join(' UNION ALL ');
    const result = await shaped(joins, { country: text('country') }, { makers: twice });
    expect(theIssue(result, 'join-multiplies-rows')).toMatchObject({
      table: 'makers',
      rows: 1,
      examples: [{ name: 'Boeing', rows: '2' }],
    });
  });
});

describe('an as-of join', () => {
  const join = (asOf: object) => [
    { table: 'weather', on: [{ left: 'origin', right: 'airport' }], asOf: { time: 'hour', ...asOf } },
  ];
  const temp = { temp: number('temp') };

  it('takes the newest row at or before, never one of a microsecond later, and nothing for a null', async () => {
    expect(await rowsOf(join({}), temp)).toEqual([[1], [3], [99], [null]]);
    expect(await rowsOf(join({ exact: 'exclude' }), temp)).toEqual([[2], [3], [99], [null]]);
  });

  it('takes no row that is older than the tolerance, which counts itself', async () => {
    expect(await rowsOf(join({ toleranceMinutes: 30 }), temp)).toEqual([[1], [3], [null], [null]]);
    expect(await rowsOf(join({ toleranceMinutes: 29.9 }), temp)).toEqual([[1], [null], [null], [null]]);
    expect(await rowsOf(join({ toleranceDays: 0 }), temp)).toEqual([[1], [null], [null], [null]]);
  });

  it('is refused where a base row meets two rows of one key and moment, unless orderBy says which counts', async () => {
    const tie = `${weather} UNION ALL SELECT 'JFK', TIMESTAMP '2024-02-10 10:00', 5.0, 2`;
    expect(theIssue(await shaped(join({}), temp, { weather: tie }), 'as-of-tie')).toMatchObject({
      table: 'weather',
      column: 'hour',
      rows: 1,
      examples: [{ airport: 'JFK', hour: '2024-02-10T10:00:00Z', rows: '2' }],
    });
    expect(await rowsOf(join({ orderBy: ['rev'] }), temp, { weather: tie })).toEqual([[5], [3], [99], [null]]);
    const still = `${tie} UNION ALL SELECT 'JFK', TIMESTAMP '2024-02-10 10:00', 6.0, 2`;
    const issue = theIssue(await shaped(join({ orderBy: ['rev'] }), temp, { weather: still }), 'as-of-tie');
    expect(issue.message).toContain('and of one rev');
  });

  it('is not refused for a tie that no base row meets', async () => {
    const unmet = `${weather} UNION ALL SELECT 'JFK', TIMESTAMP '2024-02-10 08:00', 5.0, 2`;
    expect(await rowsOf(join({}), temp, { weather: unmet })).toEqual([[1], [3], [99], [null]]);
  });
});

describe('an aggregate before the join', () => {
  it('has one row a key, counts nothing as 0, and knows filters and expressions', async () => {
    const aggregate = {
      readings: { fn: 'count' },
      cold: { fn: 'count', filter: 'temp < 3' },
      warmest: { fn: 'max', of: 'temp * 2' },
      kinds: { fn: 'countDistinct', of: 'rev' },
      middle: { fn: 'median', of: 'temp' },
    };
    const joins = [{ table: 'weather', on: [{ left: 'origin', right: 'airport' }], aggregate }];
    const features = {
      readings: number('weather.readings'),
      cold: number('cold'),
      warmest: number('warmest'),
      kinds: number('kinds'),
      middle: number('middle'),
    };
    expect(await rowsOf(joins, features)).toEqual([
      [4, 2, 198, 1, 39.5],
      [2, 0, 6, 1, 3],
      [4, 2, 198, 1, 39.5],
      [0, 0, null, 0, null],
    ]);
  });

  it('with asOf takes only rows of the window before the moment, without the moment itself unless it says so', async () => {
    const joins = (more: object, asOf: object = {}) => [
      {
        table: 'weather',
        on: [{ left: 'origin', right: 'airport' }],
        asOf: { time: 'hour', ...asOf },
        aggregate: { readings: { fn: 'count' }, newest: { fn: 'last', of: 'temp' }, mean: { fn: 'mean', of: 'temp' } },
        ...more,
      },
    ];
    const features = { readings: number('readings'), newest: number('newest'), mean: number('mean') };
    expect(await rowsOf(joins({ window: { hours: 38 } }), features)).toEqual([
      [1, 2, 2],
      [1, 3, 3],
      [2, 99, 50],
      [0, null, null],
    ]);
    expect(await rowsOf(joins({ window: { hours: 2 } }, { exact: 'include' }), features)).toEqual([
      [2, 1, 1.5],
      [1, 3, 3],
      [0, null, null],
      [0, null, null],
    ]);
    expect((await rowsOf(joins({}), features))[2]).toEqual([3, 99, 34]);
  });

  it('of the base itself never sees the row that asks', async () => {
    const joins = [
      {
        table: 'trips',
        as: 'before',
        on: ['dest'],
        asOf: { time: 'left_at' },
        window: { days: 7 },
        aggregate: { trips: { fn: 'count' }, late: { fn: 'count', filter: 'late' } },
      },
    ];
    expect(await rowsOf(joins, { n: number('before.trips'), late_before: number('before.late') })).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 0],
    ]);
  });
});

describe('a join that looks back', () => {
  it('takes rows of earlier partitions by as-of and aggregates, and by equal columns those of its own alone', async () => {
    const by = [{ left: 'origin', right: 'airport' }];
    const joins = [
      { table: 'weather', as: 'newest', on: by, asOf: { time: 'hour' } },
      { table: 'weather', as: 'all_before', on: by, asOf: { time: 'hour' }, aggregate: { n: { fn: 'count' } } },
      { table: 'weather', as: 'own', on: by, aggregate: { n: { fn: 'count' } } },
    ];
    const definition = definitionOf(joins, {
      temp: number('newest.temp'),
      before: number('all_before.n'),
      own: number('own.n'),
    });
    const write = async (table: string, sql: string) => [await bench.write(`${table}-${(files += 1)}`, sql)];
    const january = `SELECT 'JFK' AS airport, TIMESTAMP '2024-01-31 23:00' AS hour, -9.0 AS temp, 1 AS rev
      UNION ALL SELECT 'LGA', TIMESTAMP '2024-01-31 23:00', 0.0, 1`;
    const february = `SELECT 'JFK' AS airport, TIMESTAMP '2024-02-11 00:00' AS hour, 5.0 AS temp, 1 AS rev`;
    const shape = async (earlier: Record<string, string[]>) => {
      const { file, report } = await validateAndShapePartition({
        definition,
        partition: '2024-02',
        tableFiles: { trips: await write('trips', trips), weather: await write('weather', february) },
        earlierFiles: earlier,
        workDir: `${bench.folder}/joins`,
        previous: [],
        openSession: openDuckSession,
      });
      if (!file) return report.issues;
      const read = await bench.connection.runAndReadAll(`SELECT temp, before, own FROM '${file.path}' ORDER BY id`);
      return read.getRowsJson();
    };
    expect(await shape({ weather: await write('january', january) })).toEqual([
      [-9, 1, 1],
      [null, 0, 0],
      [5, 2, 1],
      [null, 0, 0],
    ]);
    const broken = await shape({ weather: await write('january', 'SELECT 1 AS airport') });
    expect(broken).toContainEqual(
      expect.objectContaining({ rule: 'missing-column', table: 'weather', column: 'hour' }),
    );
  });
});

it('aggregates of floats and ties give the same bytes, however rows come, in how many files, on how many threads', async () => {
  const base = `SELECT i AS id, TIMESTAMP '2024-02-01' + to_minutes(CAST(hash(i) % 40000 AS BIGINT)) AS left_at,
    'A' || (i % 7) AS origin, 'B' AS dest, 'N' AS tail_num, i % 2 = 0 AS late FROM range(20000) t(i)`;
  const readings = `SELECT 'A' || (i % 7) AS airport, i % 3 AS rev, sin(i) * 1e9 + cos(i) / 3 AS temp,
    TIMESTAMP '2024-02-01' + to_minutes(CAST(hash(i + 5) % 40000 AS BIGINT)) AS hour FROM range(60000) t(i)`;
  const by = [{ left: 'origin', right: 'airport' }];
  const aggregate = Object.fromEntries(
    (['sum', 'mean', 'stddev', 'median', 'min', 'max'] as const).map((fn) => [fn, { fn, of: 'temp' }]),
  );
  const whole = Object.fromEntries(Object.entries(aggregate).map(([name, one]) => [`all_${name}`, one]));
  const joins = [
    { table: 'weather', as: 'week', on: by, asOf: { time: 'hour' }, window: { days: 7 }, aggregate },
    { table: 'weather', as: 'all_of_it', on: by, aggregate: whole },
  ];
  const definition = definitionOf(
    joins,
    Object.fromEntries(
      // The whole double, of which a float32 would hide the last bits.
      [...Object.keys(aggregate), ...Object.keys(whole)].map((name) => [name, text(`CAST(${name} AS VARCHAR)`)]),
    ),
  );
  const write = async (table: string, sql: string) => bench.write(`${table}-${(files += 1)}`, sql);
  const trip = [await write('trips', base)];
  const orders = [
    [await write('weather', readings)],
    [await write('weather', `${readings} ORDER BY hash(i)`)],
    [
      await write('weather', `FROM (${readings} ORDER BY hash(i + 1)) WHERE rev = 1`),
      await write('weather', `FROM (${readings} ORDER BY hash(i + 2)) WHERE rev <> 1`),
    ],
  ];
  const digests = new Set<string | undefined>();
  for (const [index, weatherFiles] of orders.entries())
    for (const threads of [1, 4]) {
      const { file, report } = await validateAndShapePartition({
        definition,
        partition: '2024-02',
        tableFiles: { trips: trip, weather: weatherFiles },
        workDir: `${bench.folder}/bytes-${index}-${threads}`,
        previous: [],
        threads,
        openSession: openDuckSession,
      });
      expect(report.issues).toEqual([]);
      digests.add(file?.sha256);
    }
  expect(digests.size).toBe(1);
});

describe('a warning of a leak', () => {
  const warningsOf = async (joins: unknown[], features: Record<string, unknown>) => {
    const session = await openDuckSession({ folder: bench.folder, threads: 1, memoryLimitMb: 128 });
    try {
      const definition = parseModelDefinition({
        ...flightDelay,
        ...definitionOf(joins, features),
        evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
      });
      const { problems, warnings } = await expressionFindings(session, definition);
      return [...problems, ...warnings].map(({ path: at, message }) => `${at}: ${message}`);
    } finally {
      session.close();
    }
  };
  const before = (aggregate: object) => [
    { table: 'trips', as: 'before', on: ['dest'], asOf: { time: 'left_at' }, window: { days: 7 }, aggregate },
  ];

  it('comes where an aggregate is made of what the label is made of, and not where it only counts rows', async () => {
    const share = { late: { fn: 'count', filter: 'late' } };
    expect(await warningsOf(before(share), { n: number('before.late') })).toEqual([
      expect.stringMatching(/^contract\.features\.n\.from: reads trips\.late, from which the label is derived/),
    ]);
    expect(await warningsOf(before({ trips: { fn: 'count' } }), { n: number('before.trips') })).toEqual([]);
  });

  it('comes where an aggregate takes rows of the whole partition', async () => {
    const by = [{ left: 'origin', right: 'airport' }];
    const aggregate = { n: { fn: 'count' } };
    const whole = (table: string, on: unknown) => warningsOf([{ table, on, aggregate }], { n: number('n') });
    expect(await whole('weather', by)).toEqual([
      expect.stringMatching(/^data\.joins\[0\]\.aggregate: takes all rows of weather in the partition/),
    ]);
    expect(await whole('planes', [{ left: 'tail_num', right: 'tailnum' }])).toEqual([]);
  });

  it('is none, but a problem with its place, for an aggregate that cannot be computed', async () => {
    const aggregate = {
      n: { fn: 'sum', of: 'origin' },
      m: { fn: 'max', of: 'speed' },
      c: { fn: 'count', filter: '1' },
    };
    expect(await warningsOf(before(aggregate), { n: number('before.n') })).toEqual([
      'data.joins[0].aggregate.n.of: origin gives VARCHAR; sum needs a number',
      expect.stringMatching(/^data\.joins\[0\]\.aggregate\.m\.of: speed: speed is not a declared column of before/),
      expect.stringMatching(/^data\.joins\[0\]\.aggregate\.c\.filter: 1 gives INTEGER; it must give true or false/),
    ]);
  });
});

it('an aggregate whose expression fails on some row is an issue that names the join', async () => {
  const joins = [
    {
      table: 'planes',
      on: [{ left: 'tail_num', right: 'tailnum' }],
      aggregate: { n: { fn: 'sum', of: 'CAST(maker AS INTEGER)' } },
    },
  ];
  const result = await shaped(joins, { n: number('n') });
  expect(theIssue(result, 'expression')).toMatchObject({
    table: 'planes',
    message: expect.stringMatching(/^aggregates of planes on tail_num = tailnum fail on the data: .*Boeing/),
  });
});
