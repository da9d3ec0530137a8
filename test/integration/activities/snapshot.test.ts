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
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition, keepDefinition } from '../../../db/model/definition-queries.js';
import { openRun } from '../../../db/training/run-queries.js';
import { partitions } from '../../../db/schema/index.js';
import { changedDefinition } from '../../../domain/model/changed-definition.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { definitionDigest, type ModelDefinition } from '../../../domain/model/model-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
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
  deps = { db, store, config: { home } } as unknown as ActivityDependencies;
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** A model with months of so many rows in its lake. */
async function modelWith(months: Record<string, number>, from = 'amount * 2'): Promise<ModelDefinition> {
  const name = `s-${randomUUID().slice(0, 8)}`;
  const definition = parseModelDefinition({
    ...{ name, description: 'sales', owner: 'test', rollout: flightDelay.rollout },
    contract: {
      ...{ entity: ['id'], eventTime: 'sold_at', label: { name: 'returned', type: 'boolean' } },
      features: { amount: { type: 'number', from } },
    },
    data: {
      tables: { sales: { columns: { id: 'integer', sold_at: 'timestamp', amount: 'number', returned: 'boolean' } } },
      ...{ base: 'sales', window: { kind: 'expanding', from: '2024-01' } },
    },
    evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const [month, rows] of Object.entries(months)) {
    const file = path.join(home, `${name}-${month}.parquet`);
    await connection.run(
      `COPY (SELECT i AS id, TIMESTAMP '${month}-01' AS sold_at, i / 3 AS amount, i % 2 = 0 AS returned FROM ` +
        `range(${rows}) t(i)) TO '${file}' (FORMAT parquet)`,
    );
    await store.putImmutable(`${objectKeys.lakePartition(name, 'sales', month)}part.parquet`, { file });
  }
  connection.closeSync();
  instance.closeSync();
  return definition;
}

async function takeSnapshot(definition: ModelDefinition): Promise<SnapshotResult> {
  const runId = randomUUID();
  const definitionSha256 = definitionDigest(definition);
  await openRun(db, {
    id: runId,
    workflowId: runId,
    model: definition.name,
    definitionSha256,
    cause: { kind: 'person' },
    until: null,
  });
  const { takeSnapshot: take } = createSnapshotActivities(deps);
  const asked = { runId, model: definition.name, definitionSha256, until: null, ignoreWatermark: true, force: true };
  return new MockActivityEnvironment().run(take, asked);
}

const monthsOf = async (model: string) =>
  (await db.orm.select().from(partitions).where(eq(partitions.model, model)))
    .map(({ partition, state }) => `${partition} ${state}`)
    .sort();

describe('a snapshot', () => {
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
