import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { sampleRows } from '../../../adapters/data-engine/snapshot/rows/sample-rows.js';
import { contractSchema } from '../../../domain/data/contract.js';

const contract = contractSchema.parse({
  ...{ entity: ['shop', 'id'], eventTime: 'at', label: { name: 'bought', type: 'boolean' } },
  features: { amount: { type: 'number' } },
});

let folder: string;
let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-sample-'));
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(async () => {
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
});

/** 900 rows of 300 customers, each in three months. */
const rowsSql = (where: string, order = 'i') =>
  `SELECT 'shop ' || (i % 7) AS shop, i % 300 AS id, TIMESTAMP '2024-01-01' + INTERVAL (i // 300) MONTH AS at,
  i % 3 = 0 AS bought, CAST(i AS DOUBLE) AS amount FROM range(900) t(i) WHERE ${where} ORDER BY ${order}`;
const months = (order?: string) => [0, 1, 2].map((month) => rowsSql(`i // 300 = ${month}`, order));

interface Row {
  shop: string;
  id: number;
  amount: number;
}

async function sample(rows: number, seed: number, files = months()) {
  const own = await mkdtemp(path.join(folder, 's-'));
  const paths = files.map((_, index) => path.join(own, `in-${index}.parquet`));
  for (const [index, sql] of files.entries())
    await connection.run(`COPY (${sql}) TO '${paths[index]}' (FORMAT parquet)`);
  const session = await openDuckSession({ folder: own, readable: paths, threads: 1 });
  const taken = await sampleRows(session, { files: paths, rows, seed, contract, folder: own });
  session.close();
  const read = async (file: string) =>
    (
      await connection.runAndReadAll(`SELECT shop, id::INT AS id, amount, bought FROM '${file}'`)
    ).getRowObjectsJS() as unknown as (Row & { bought: boolean })[];
  const perFile = await Promise.all(taken.map(({ path: file }) => read(file)));
  expect(taken.map((one) => one.rows)).toEqual(perFile.map((one) => one.length));
  expect(taken.map((one) => one.positives)).toEqual(perFile.map((one) => one.filter(({ bought }) => bought).length));
  return { taken, perFile, rows: perFile.flat() };
}

const amountsOf = (rows: readonly Row[]) => rows.map(({ amount }) => amount).toSorted((a, b) => a - b);

/** What is to be chosen, computed without the engine: the rows whose entity's MD5 is smallest. */
function expected(rows: number, seed: number): number[] {
  const all = Array.from({ length: 900 }, (_, i) => {
    const words = ['sample', String(seed), `shop ${i % 7}`, String(i % 300)].join('\x1f');
    return { i, chance: createHash('md5').update(words).digest().readBigUInt64LE(0) };
  });
  const ordered = all.toSorted((a, b) => (a.chance === b.chance ? a.i - b.i : a.chance < b.chance ? -1 : 1));
  return ordered
    .slice(0, rows)
    .map(({ i }) => i)
    .toSorted((a, b) => a - b);
}

test.each([
  [1, 42],
  [137, 42],
  [137, 7],
  [899, 0],
])('of %i rows with seed %i holds just so many: those whose entity has the smallest hash', async (rows, seed) => {
  const { rows: taken } = await sample(rows, seed);
  expect(amountsOf(taken)).toEqual(expected(rows, seed));
});

test('is the same whatever the order of rows, to the byte where that is the same too', async () => {
  const [first, again, mixed] = [await sample(200, 42), await sample(200, 42), await sample(200, 42, months('-i'))];
  expect(again.taken.map(({ sha256 }) => sha256)).toEqual(first.taken.map(({ sha256 }) => sha256));
  expect(amountsOf(mixed.rows)).toEqual(amountsOf(first.rows));
});

test('keeps the order of rows and a place for each file, of more rows than there are all of them', async () => {
  const { perFile } = await sample(5_000, 42);
  expect(perFile.map((rows) => rows.map(({ amount }) => amount))).toEqual(
    [0, 1, 2].map((month) => Array.from({ length: 300 }, (_, i) => month * 300 + i)),
  );
  const one = await sample(1, 42);
  expect(one.taken.filter(({ rows }) => rows === 0)).toHaveLength(2);
});
