import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { validateAndShapePartition } from '../../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../domain/data/data-policy.js';
import { openSalesBench, type SalesBench } from './sales-fixture.js';

const python = fileURLToPath(new URL('../../../.tools/clients/bin/python', import.meta.url));
const oracle = fileURLToPath(new URL('as_of_oracle.py', import.meta.url));

/**
 * A million rows a side that lie on a grid of ten seconds, so that many times are equal, a right row of a microsecond
 * later beside each fifth, keys and times that are missing, in an order without order. Values are whole, and sums
 * exact.
 */
const rows = 1_000_000;
const hash = (salt: number) => `(hash(i * 1000 + ${salt}) % 1000003)`;
const seconds = `CAST(${hash(1)} * 31 % 2500000 AS BIGINT) // 10 * 10`;
const leftSql = `SELECT i AS id,
  CASE WHEN ${hash(2)} % 50 = 0 THEN NULL ELSE CAST(${hash(3)} % 700 AS BIGINT) END AS key,
  CASE WHEN ${hash(4)} % 50 = 0 THEN NULL
    ELSE TIMESTAMP '2024-02-01' + to_seconds(${seconds}) END AS asked_at, TIMESTAMP '2024-02-01' AS happened_at,
  i % 2 = 0 AS late FROM range(${rows}) t(i) ORDER BY hash(i + 7)`;
const rightSql = `SELECT CASE WHEN ${hash(12)} % 50 = 0 THEN NULL ELSE CAST(${hash(13)} % 720 AS BIGINT) END AS code,
  CASE WHEN ${hash(14)} % 50 = 0 THEN NULL ELSE TIMESTAMP '2024-02-01'
    + to_seconds(CAST(${hash(11)} * 37 % 2500000 AS BIGINT) // 10 * 10)
    + to_microseconds(CASE WHEN i % 5 = 0 THEN 1 ELSE 0 END) END AS known_at,
  i AS rev, CASE WHEN ${hash(15)} % 20 = 0 THEN NULL ELSE CAST(${hash(16)} % 1000 AS DOUBLE) END AS value
  FROM range(${rows}) t(i) ORDER BY hash(i + 8)`;

const cases = [
  { name: 'of_any_age', toleranceUs: null, exact: 'include' },
  { name: 'up_to_an_hour', toleranceUs: 3_600_000_000, exact: 'include' },
  { name: 'ten_minutes_before', toleranceUs: 600_000_000, exact: 'exclude' },
  { name: 'half_a_day_before', windowUs: 43_200_000_000, exact: 'exclude' },
] as const;

const joins = cases.map((one) => ({
  table: 'readings',
  as: one.name,
  on: [{ left: 'key', right: 'code' }],
  ...('windowUs' in one
    ? {
        asOf: { time: 'known_at', leftTime: 'asked_at', exact: one.exact },
        window: { minutes: one.windowUs / 60_000_000 },
        aggregate: { rows: { fn: 'count' }, mean: { fn: 'mean', of: 'value' } },
      }
    : {
        asOf: {
          ...{ time: 'known_at', leftTime: 'asked_at', exact: one.exact, orderBy: ['rev'] },
          ...(one.toleranceUs === null ? {} : { toleranceMinutes: one.toleranceUs / 60_000_000 }),
        },
      }),
}));
const columnsOf = (one: (typeof cases)[number]) => ('windowUs' in one ? ['rows', 'mean'] : ['value', 'rev']);
const features = Object.fromEntries(
  cases.flatMap((one) =>
    columnsOf(one).map((column) => [
      `${one.name}_${column}`,
      { type: 'number', nullable: true, from: `${one.name}.${column}` },
    ]),
  ),
);
const definition = {
  name: 'asked',
  contract: contractSchema.parse({
    entity: ['id'],
    eventTime: 'happened_at',
    label: { name: 'late', type: 'boolean' },
    features,
  }),
  data: dataPolicySchema.parse({
    tables: {
      questions: {
        columns: { id: 'integer', key: 'integer', asked_at: 'timestamp', happened_at: 'timestamp', late: 'boolean' },
      },
      readings: {
        partitioned: false,
        columns: { code: 'integer', known_at: 'timestamp', rev: 'integer', value: 'number' },
      },
    },
    base: 'questions',
    joins,
    window: { kind: 'expanding', from: '2024-02' },
  }),
};

const reportSchema = z.object({
  case: z.string(),
  compared: z.number(),
  found: z.number(),
  differ: z.number(),
});

let bench: SalesBench;
let folder: string;
beforeAll(async () => {
  bench = await openSalesBench();
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-as-of-'));
});
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});

it(
  'as-of joins and windows give on a million rows what pandas gives: not one differs',
  { timeout: 180_000 },
  async () => {
    const { connection } = bench;
    await connection.run(`CREATE TABLE questions AS ${leftSql}`);
    await connection.run(`CREATE TABLE readings AS ${rightSql}`);
    const shaped = await validateAndShapePartition({
      definition,
      partition: '2024-02',
      tableFiles: {
        questions: [await bench.write('questions', 'FROM questions')],
        readings: [await bench.write('readings', 'FROM readings')],
      },
      workDir: folder,
      previous: [],
      openSession: openDuckSession,
    });
    expect(shaped.report.issues).toEqual([]);

    await connection.run(
      `COPY (SELECT id, key, epoch_us(asked_at) AS time FROM questions) TO '${folder}/left.csv' (HEADER)`,
    );
    await connection.run(
      `COPY (SELECT code AS key, epoch_us(known_at) AS time, rev, value FROM readings) ` +
        ` TO '${folder}/right.csv' (HEADER)`,
    );
    await connection.run(`COPY (FROM read_parquet('${shaped.file?.path}')) TO '${folder}/ours.csv' (HEADER)`);
    const input = JSON.stringify(cases);
    const answer = execFileSync(python, [oracle, folder], { input, timeout: 120_000, encoding: 'utf8' });
    const report = z.array(reportSchema).parse(JSON.parse(answer));
    expect(report).toEqual(
      cases.map(({ name }) => ({ case: name, compared: rows, found: expect.any(Number), differ: 0 })),
    );
    expect(Math.min(...report.map(({ found }) => found))).toBeGreaterThan(rows / 10);
  },
);
