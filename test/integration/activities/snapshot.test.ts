import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createSnapshotActivities, type SnapshotResult } from '../../../activities/data/snapshot.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition, keepDefinition } from '../../../db/model/definition-queries.js';
import { snapshotByDigest } from '../../../db/data/partition-queries.js';
import { lastResultOf, openRun } from '../../../db/training/run-queries.js';
import { partitions } from '../../../db/schema/index.js';
import { changedDefinition } from '../../../domain/model/changed-definition.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { definitionDigest, type ModelDefinition } from '../../../domain/model/model-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { SampleOrder } from '../../../domain/data/snapshot/row-sample.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { openTestBucket } from '../data/test-bucket.js';

let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let home: string;
let deps: ActivityDependencies;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-snapshot-'));
  const cache = createFileCache(store, path.join(home, 'cache'));
  deps = { db, store, cache, config: { home } } as unknown as ActivityDependencies;
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** When the rows of a month, a day or an hour happened. */
const timeIn = (partition: string): string =>
  partition.length === 7
    ? `${partition}-01`
    : `${partition.replace('T', ' ')}${partition.includes('T') ? ':00:00' : ' 12:00:00'}`;

/** A model with partitions of so many rows in its lake. */
async function modelWith(
  months: Record<string, number>,
  { from = 'amount * 2', first = '2024-01', data = {} }: { from?: string; first?: string; data?: object } = {},
): Promise<ModelDefinition> {
  const name = `s-${randomUUID().slice(0, 8)}`;
  const definition = parseModelDefinition({
    ...{ name, description: 'sales', owner: 'test', rollout: flightDelay.rollout },
    contract: {
      ...{ entity: ['id'], eventTime: 'sold_at', label: { name: 'returned', type: 'boolean' } },
      features: { amount: { type: 'number', from } },
    },
    data: {
      tables: { sales: { columns: { id: 'integer', sold_at: 'timestamp', amount: 'number', returned: 'boolean' } } },
      ...{ base: 'sales', window: { kind: 'expanding', from: first }, ...data },
    },
    evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const [month, rows] of Object.entries(months)) {
    const file = path.join(home, `${name}-${month}.parquet`);
    await connection.run(
      `COPY (SELECT i AS id, TIMESTAMP '${timeIn(month)}' AS sold_at, i / 3 AS amount, i % 2 = 0 AS returned FROM ` +
        `range(${rows}) t(i)) TO '${file}' (FORMAT parquet)`,
    );
    await store.putImmutable(`${objectKeys.lakePartition(name, 'sales', month)}part.parquet`, { file });
  }
  connection.closeSync();
  instance.closeSync();
  return definition;
}

async function takeSnapshot(definition: ModelDefinition, sample: SampleOrder | null = null): Promise<SnapshotResult> {
  const runId = randomUUID();
  const definitionSha256 = definitionDigest(definition);
  await openRun(db, {
    id: runId,
    workflowId: runId,
    model: definition.name,
    definitionSha256,
    cause: { kind: 'person' },
    until: null,
    ...(sample && { environment: sample.environment, sample }),
  });
  const { takeSnapshot: take } = createSnapshotActivities(deps);
  const asked = {
    runId,
    model: definition.name,
    definitionSha256,
    until: null,
    ignoreWatermark: true,
    force: true,
    sample,
  };
  return new MockActivityEnvironment().run(take, asked);
}

const monthsOf = async (model: string) =>
  (await db.orm.select().from(partitions).where(eq(partitions.model, model)))
    .map(({ partition, state }) => `${partition} ${state}`)
    .sort();

describe('a snapshot', () => {
  it('of a sample says so, holds just so many rows, is the same again, and moves no watermark', async () => {
    const definition = await modelWith({ '2024-01': 100, '2024-02': 100, '2024-03': 100 });
    await applyDefinition(db, definition, 'test');
    const sample = { environment: 'development', rows: 90, seed: 42 };
    const taken = await takeSnapshot(definition, sample);
    if (taken.outcome !== 'taken') throw new Error(JSON.stringify(taken));
    expect(taken).toMatchObject({
      watermark: null,
      summary: expect.stringContaining('a sample of 90 of 300 rows (seed 42), as development takes it') as string,
    });
    const manifest = await snapshotByDigest(db, taken.snapshotSha256);
    expect(manifest.sample).toEqual({ ...sample, of: 300 });
    expect(manifest.trainedOn.rows + manifest.testedOn.rows).toBe(90);
    expect([...manifest.train, ...manifest.holdout].map(({ partition }) => partition)).toEqual([
      ...['2024-01', '2024-02', '2024-03'],
    ]);
    expect(await takeSnapshot(definition, sample)).toMatchObject({ snapshotSha256: taken.snapshotSha256 });
    const others = [
      { ...sample, seed: 43 },
      { ...sample, rows: 91 },
      { ...sample, environment: 'qa' },
    ];
    for (const other of others) {
      const next = await takeSnapshot(definition, other);
      expect(next).toMatchObject({ outcome: 'taken' });
      expect(next).not.toMatchObject({ snapshotSha256: taken.snapshotSha256 });
    }
    const whole = await takeSnapshot(definition);
    expect(whole).toMatchObject({ outcome: 'taken', watermark: '2024-03' });
    const larger = await takeSnapshot(definition, { ...sample, rows: 1000 });
    expect(larger).not.toMatchObject({ snapshotSha256: (whole as typeof taken).snapshotSha256 });
    expect(await takeSnapshot(definition, { ...sample, rows: 1 })).toMatchObject({
      outcome: 'data-missing',
      reason: expect.stringMatching(/has no row for (training|the holdout): raise its rows/) as string,
    });
  });

  it('of all rows finds nothing known that only a sample has seen', async () => {
    const definition = await modelWith({ '2024-01': 50, '2024-02': 50 });
    await applyDefinition(db, definition, 'test');
    const sample = { environment: 'development', rows: 40, seed: 1 };
    expect(await takeSnapshot(definition, sample)).toMatchObject({ outcome: 'taken' });
    await db.sql`update runs set outcome = 'registered', finished_at = now() where model = ${definition.name}`;
    expect(await lastResultOf(db, definition.name, definitionDigest(definition))).toBeUndefined();
    expect(await takeSnapshot(definition)).toMatchObject({ outcome: 'taken' });
    await db.sql`update runs set outcome = 'registered', finished_at = now()
      where model = ${definition.name} and sample is null`;
    expect(await lastResultOf(db, definition.name, definitionDigest(definition))).toBeDefined();
  });

  it('of a run whose definition was changed for itself alone marks no month, whatever it finds', async () => {
    const applied = await modelWith({ '2024-01': 100, '2024-02': 60, '2024-03': 130 });
    await applyDefinition(db, applied, 'test');
    const experiment = changedDefinition(applied, { 'data.window.from': '2024-02' });
    await keepDefinition(db, experiment);
    expect(await takeSnapshot(experiment)).toMatchObject({
      outcome: 'quarantined',
      reason: expect.stringMatching(
        /2024-03 does not pass .* 2\.17 times the 60 rows .* The partition is not marked/s,
      ) as string,
    });
    expect(await monthsOf(applied.name)).toEqual([]);
    expect(await takeSnapshot(applied)).toMatchObject({ outcome: 'taken' });
    expect(await monthsOf(applied.name)).toEqual(['2024-01 valid', '2024-02 valid', '2024-03 valid']);
  });

  it('of hours is made of folders of hours, and holds out as many of the last as the split says', async () => {
    const hours = ['2024-03-09T22', '2024-03-09T23', '2024-03-10T00', '2024-03-10T01'];
    const definition = await modelWith(Object.fromEntries(hours.map((hour) => [hour, 30])), {
      first: hours[0] ?? '',
      data: { cadence: 'hour', split: { kind: 'last', partitions: 2 } },
    });
    await applyDefinition(db, definition, 'test');
    expect(await takeSnapshot(definition)).toMatchObject({
      outcome: 'taken',
      watermark: '2024-03-10T01',
      summary: expect.stringMatching(/trains on 2024-03-09T22 … 2024-03-09T23 .* tests on 2024-03-10T00 … /) as string,
    });
  });

  it('of days of a zone refuses rows of another day, and leaves days out whose labels may still come', async () => {
    const data = { cadence: 'day', timeZone: 'Pacific/Kiritimati' };
    const wrong = await modelWith({ '2024-03-09': 30, '2024-03-10': 30 }, { first: '2024-03-09', data });
    await applyDefinition(db, wrong, 'test');
    // Noon of UTC is two in the morning of the next day there.
    expect(await takeSnapshot(wrong)).toMatchObject({
      outcome: 'quarantined',
      reason: expect.stringContaining('30 labelled rows are not of 2024-03-09 by their sold_at') as string,
    });
    const today = new Date().toISOString().slice(0, 10);
    const young = await modelWith(
      { '2024-03-09': 30, '2024-03-10': 30, [today]: 30 },
      { first: '2024-03-09', data: { cadence: 'day', maturity: { days: 3 } } },
    );
    await applyDefinition(db, young, 'test');
    expect(await takeSnapshot(young)).toMatchObject({
      outcome: 'taken',
      watermark: '2024-03-10',
      summary: expect.stringContaining(`Left out, for labels may still come: ${today} until`) as string,
    });
  });

  it('by a definition whose expression cannot be right ends without marking a month, and says where', async () => {
    const right = await modelWith({ '2024-01': 10, '2024-02': 10 });
    const wrong = {
      ...right,
      contract: {
        ...right.contract,
        features: { amount: { type: 'number' as const, nullable: false, from: 'amuont * 2' } },
      },
    };
    await applyDefinition(db, wrong, 'test');
    await expect(takeSnapshot(wrong)).rejects.toMatchObject({
      code: 'definition/invalid',
      retryable: false,
      message: expect.stringMatching(
        /contract\.features\.amount\.from: amuont \* 2: .*the nearest is amount/,
      ) as string,
    });
    expect(await monthsOf(right.name)).toEqual([]);
  });
});
