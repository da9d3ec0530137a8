import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { divideRows } from '../../../adapters/data-engine/snapshot/rows/divide-rows.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { splitPolicySchema, type RowSplit } from '../../../domain/data/split-policy.js';

const contract = contractSchema.parse({
  ...{ entity: ['id'], eventTime: 'happened', label: { name: 'kind', type: 'string' } },
  features: { customer: { type: 'string' } },
});
interface Row {
  id: number;
  happened: number;
  kind: string;
  customer: string;
}

let folder: string;
let instance: DuckDBInstance;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-divide-'));
  instance = await DuckDBInstance.create(':memory:');
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
});

/** 503 rows of three classes, 7 hours apart but for every tenth, which shares its moment with the next; 40 customers. */
const rowsSql = (where: string, order: string) =>
  `SELECT i AS id, TIMESTAMP '2024-01-01' + INTERVAL (CASE WHEN i % 10 = 0 THEN i + 1 ELSE i END * 7) HOUR AS happened,
  CASE WHEN i % 17 = 0 THEN 'rare' WHEN i % 3 = 0 THEN 'some' ELSE 'most' END AS kind,
  'c' || CAST(floor(sqrt(i * 3.2)) AS INT) AS customer FROM range(503) t(i) WHERE ${where} ORDER BY ${order}`;

/** The rows of each part, by the part's number. */
async function divide(input: object, files = [rowsSql('true', 'i')], until?: Date): Promise<Map<number, Row[]>> {
  const split = splitPolicySchema.parse(input) as RowSplit;
  const own = await mkdtemp(path.join(folder, 'd-'));
  const connection = await instance.connect();
  const paths: string[] = [];
  for (const [index, sql] of files.entries()) {
    const file = path.join(own, `in-${index}.parquet`);
    await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
    paths.push(file);
  }
  const session = await openDuckSession({ folder: own, readable: paths, threads: 1 });
  const parts = new Map<number, Row[]>();
  try {
    for (const part of await divideRows(session, { files: paths, split, contract, folder: own, until })) {
      const read = await connection.runAndReadAll(
        `SELECT id::INT AS id, epoch(happened)::DOUBLE AS happened, kind, customer FROM '${part.path}'`,
      );
      const rows = read.getRowObjectsJS() as unknown as Row[];
      expect(rows).toHaveLength(part.rows);
      parts.set(part.part, [...(parts.get(part.part) ?? []), ...rows]);
    }
  } finally {
    session.close();
    connection.closeSync();
  }
  return parts;
}

const ids = (rows: readonly Row[] = []) => rows.map(({ id }) => id).sort((left, right) => left - right);
const sides = async (input: object, files?: string[]) =>
  Object.fromEntries([...(await divide(input, files))].map(([part, rows]) => [part, ids(rows)]));
const counts = (rows: readonly Row[] = [], of: (row: Row) => string) => {
  const found: Record<string, number> = {};
  for (const row of rows) found[of(row)] = (found[of(row)] ?? 0) + 1;
  return found;
};
const everyRow = Array.from({ length: 503 }, (_, index) => index);
const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

describe('rows divided into a share and the rest', () => {
  test.each([{ by: 'time' }, { by: 'random' }, { by: 'random', stratify: true }, { by: 'group', group: 'customer' }])(
    'are on exactly one side, whatever the order of files and rows: $by',
    async (how) => {
      const split = { kind: 'share', holdoutPct: 30, ...how };
      const { 0: train = [], 1: holdout = [] } = await sides(split);
      expect([...train, ...holdout].sort((left, right) => left - right)).toEqual(everyRow);
      expect(holdout.length / 503).toBeGreaterThan(0.2);
      expect(holdout.length / 503).toBeLessThan(0.4);
      const halves = [rowsSql('i % 2 = 1', 'i DESC'), rowsSql('i % 2 = 0', 'hash(i)')];
      expect(await sides(split, halves)).toEqual({ 0: train, 1: holdout });
    },
  );

  test('by time train on what came before the holdout, and rows of one moment stay together', async () => {
    const parts = await divide({ kind: 'share', holdoutPct: 30, by: 'time' });
    const times = (part: number) => (parts.get(part) ?? []).map(({ happened }) => happened);
    expect(Math.max(...times(0))).toBeLessThan(Math.min(...times(1)));
  });

  test('by chance stay on their side when others come, and change it with the seed', async () => {
    for (const how of [{ by: 'random' }, { by: 'group', group: 'customer' }]) {
      const split = { kind: 'share', holdoutPct: 30, ...how };
      const before = await sides(split, [rowsSql('i < 300', 'i')]);
      const after = await sides(split);
      expect(after[1]?.filter((id) => id < 300)).toEqual(before[1]);
      expect((await sides({ ...split, seed: 7 }))[1]).not.toEqual(after[1]);
    }
  });

  test('stratified hold out the share of each class, to the row', async () => {
    const parts = await divide({ kind: 'share', holdoutPct: 30, by: 'random', stratify: true });
    const all = counts([...parts.values()].flat(), ({ kind }) => kind);
    const held = counts(parts.get(1), ({ kind }) => kind);
    for (const [kind, rows] of Object.entries(all)) expect(held[kind]).toBe(Math.round(rows * 0.3));
  });

  test('hold nothing that is not mature, and shares are of what is', async () => {
    const until = new Date('2024-03-01T00:00:00Z');
    const parts = await divide({ kind: 'share', holdoutPct: 50, by: 'random', stratify: true }, undefined, until);
    const times = [...parts.values()].flat().map(({ happened }) => happened * 1000);
    expect(Math.max(...times)).toBeLessThanOrEqual(until.getTime());
    expect(times.length).toBeGreaterThan(190);
    expect(spread([...parts.values()].map((rows) => rows.length))).toBeLessThanOrEqual(3);
  });

  test('by group never have a group on both sides', async () => {
    const parts = await divide({ kind: 'share', holdoutPct: 30, by: 'group', group: 'customer' });
    const groups = (part: number) => new Set((parts.get(part) ?? []).map(({ customer }) => customer));
    expect([...groups(0)].filter((one) => groups(1).has(one))).toEqual([]);
  });
});

// The properties of scikit-learn's KFold, StratifiedKFold, GroupKFold and TimeSeriesSplit.
describe('folds', () => {
  test('by chance are disjoint, complete, and of one size but for one row', async () => {
    const folds = await sides({ kind: 'folds', folds: 5, by: 'random', seed: 3 });
    expect(Object.keys(folds)).toHaveLength(5);
    expect(
      Object.values(folds)
        .flat()
        .sort((left, right) => left - right),
    ).toEqual(everyRow);
    expect(spread(Object.values(folds).map((fold) => fold.length))).toBeLessThanOrEqual(1);
    expect(await sides({ kind: 'folds', folds: 5, by: 'random', seed: 3 }, [rowsSql('true', 'hash(i)')])).toEqual(
      folds,
    );
  });

  test('stratified have as many rows of each class, but for one', async () => {
    const folds = await divide({ kind: 'folds', folds: 4, by: 'random', stratify: true });
    const perFold = [...folds.values()].map((rows) => counts(rows, ({ kind }) => kind));
    for (const kind of ['rare', 'some', 'most'])
      expect(spread(perFold.map((fold) => fold[kind] ?? 0)), kind).toBeLessThanOrEqual(1);
    expect(spread([...folds.values()].map((rows) => rows.length))).toBeLessThanOrEqual(1);
  });

  test('by group keep groups whole, and are of much the same size', async () => {
    const folds = await divide({ kind: 'folds', folds: 4, by: 'group', group: 'customer' });
    const groups = [...folds.values()].flatMap((rows) => [...new Set(rows.map(({ customer }) => customer))]);
    expect(new Set(groups).size).toBe(groups.length);
    expect(ids([...folds.values()].flat())).toEqual(everyRow);
    expect(spread([...folds.values()].map((rows) => rows.length))).toBeLessThan(503 / 4 / 2);
  });

  test('by time follow one another, one more than are tested', async () => {
    const folds = await divide({ kind: 'folds', folds: 4, by: 'time' });
    expect([...folds.keys()].sort((left, right) => left - right)).toEqual([0, 1, 2, 3, 4]);
    for (let fold = 1; fold <= 4; fold += 1) {
      const before = (folds.get(fold - 1) ?? []).map(({ happened }) => happened);
      expect(Math.max(...before)).toBeLessThan(Math.min(...(folds.get(fold) ?? []).map(({ happened }) => happened)));
    }
    expect(spread([...folds.values()].map((rows) => rows.length))).toBeLessThanOrEqual(2);
    expect(ids([...folds.values()].flat())).toEqual(everyRow);
  });
});
