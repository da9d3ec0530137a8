import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createActivities } from '../../../activities/index.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { openPromotion, promotionById } from '../../../db/promotion/promotion-queries.js';
import { openRun, runById } from '../../../db/training/run-queries.js';
import { evaluationSchema, type Evaluation } from '../../../domain/evaluation/evaluation.js';
import { leaseNames } from '../../../domain/ids.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinitionInput } from '../../../domain/model/model-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { openTestBucket } from '../data/test-bucket.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let home: string;
let duck: DuckDBInstance;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-contract-'));
  duck = await DuckDBInstance.create(':memory:', { threads: '1' });
  const cache = createFileCache(store, path.join(home, 'objects'));
  const config = { home, projectRoot: path.resolve(), floors: { configured: {}, file: undefined } };
  activities = createActivities({ db, store, cache, config } as unknown as ActivityDependencies);
});
afterAll(async () => {
  store.close();
  duck.closeSync();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/**
 * Puts a month of 400 sales; dear and red ones are returned more often. `columns` are the names under which the colour
 * is written.
 */
async function putMonth(model: string, month: number, columns: readonly string[]): Promise<void> {
  const partition = `2024-0${month}`;
  const colour = `CASE WHEN hash(i * 31 + ${month}) % 3 = 0 THEN 'red' ELSE 'blue' END`;
  const amount = `(hash(i * 7 + ${month}) % 1000) / 10.0`;
  const file = path.join(home, `${randomUUID()}.parquet`);
  const connection = await duck.connect();
  await connection.run(`COPY (
    SELECT i AS id, TIMESTAMP '${partition}-01' + INTERVAL (i) HOUR AS sold_at, amount,
    ${columns.map((name) => `colour AS ${name}`).join(', ')},
      amount + CASE colour WHEN 'red' THEN 40 ELSE 0 END + hash(i * 13 + ${month}) % 40 > 85 AS returned
    FROM (SELECT i, ${amount} AS amount, ${colour} AS colour FROM range(400) t(i)) ORDER BY i
  ) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  await store.put(`${objectKeys.lakePartition(model, 'sales', partition)}part.parquet`, { file });
}

/** The model with its colour under one name, in the contract and in the table. */
function definitionOf(
  model: string,
  colour: string,
  accepts?: NonNullable<ModelDefinitionInput['contract']['accepts']>,
) {
  const input: ModelDefinitionInput = {
    name: model,
    description: 'Will a sale be returned?',
    owner: 'shop',
    contract: {
      entity: ['id'],
      eventTime: 'sold_at',
      label: { name: 'returned', type: 'boolean' },
      features: { amount: { type: 'number' }, [colour]: { type: 'string', ...(accepts && { default: 'blue' }) } },
      ...(accepts && { accepts }),
    },
    data: {
      tables: {
        sales: {
          columns: { id: 'integer', sold_at: 'timestamp', amount: 'number', [colour]: 'string', returned: 'boolean' },
        },
      },
      base: 'sales',
      window: { kind: 'expanding', from: '2024-01' },
    },
    training: { algorithm: 'sklearn', threads: 1 },
    evaluation: {
      bootstrapRounds: 100,
      threshold: 'best-f1',
      gates: [
        { name: 'ranks', metric: 'rocAuc', atLeast: 0.6 },
        { name: 'no worse than the champion', metric: 'rocAuc', worseThanChampionByAtMost: 0.2 },
      ],
    },
    rollout: { strategy: 'direct', reason: 'a test' },
  };
  return parseModelDefinition(input);
}

const running = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);

/** One training run up to its gates, as the workflow walks it; registered and made champion when they pass. */
async function train(definition: ReturnType<typeof definitionOf>, until: string) {
  const { sha256: definitionSha256 } = await applyDefinition(db, definition, 'test');
  const runId = randomUUID();
  await openRun(db, {
    id: runId,
    workflowId: runId,
    model: definition.name,
    definitionSha256,
    cause: { kind: 'data', id: until },
    until,
  });
  const asked = { runId, model: definition.name, definitionSha256, until, ignoreWatermark: true };
  const snapshot = await running(() => activities.data.takeSnapshot(asked));
  if (snapshot.outcome !== 'taken') throw new Error(snapshot.reason);
  const { snapshotSha256 } = snapshot;
  const trained = await running(() => activities.training.train({ runId, definitionSha256, snapshotSha256 }));
  const { artifactSha256 } = trained;
  const { evaluationKey } = await running(() =>
    activities.data.evaluateRun({ runId, definitionSha256, snapshotSha256, artifactSha256 }),
  );
  const evaluation: Evaluation = evaluationSchema.parse(
    JSON.parse(new TextDecoder().decode(await store.get(evaluationKey))),
  );
  const gates = await running(() => activities.activities.decideRunGates({ runId, definitionSha256, evaluationKey }));
  const outcomes = (await runById(db, runId)).gates?.map(({ name, outcome }) => `${name}: ${outcome}`) ?? [];
  if (gates.verdict !== 'pass') return { evaluation, gates, outcomes, version: null };
  const run = { runId, definitionSha256, snapshotSha256, watermark: null, trained, evaluationKey };
  const { version } = await running(() => activities.activities.registerRun(run));
  return { evaluation, gates, outcomes, version };
}

let epochs = 0;
async function makeChampion(model: string, version: number): Promise<void> {
  const held = await acquireLease(db, leaseNames.rollout('production', model), `test|${(epochs += 1)}`);
  if (!('grant' in held)) throw new Error('the lease is held');
  const target = { split: [{ version, sharePct: 100 }] };
  const write = {
    environment: 'production' as const,
    model,
    lease: held.grant,
    reason: 'test',
    idempotencyKey: `${model}/${epochs}`,
  };
  await running(() => activities.activities.writeRoute({ ...write, target }));
  await running(() => activities.activities.releaseLease(held.grant));
}

async function evidenceOf(model: string, version: number) {
  const promotionId = randomUUID();
  await openPromotion(db, {
    id: promotionId,
    workflowId: promotionId,
    model,
    version,
    environment: 'production',
    requestedBy: 'rita',
  });
  await running(() => activities.evidence.gatherEvidence({ promotionId, model, version, environment: 'production' }));
  return (await promotionById(db, promotionId)).evidence;
}

describe('a champion whose feature was renamed', { timeout: 240_000 }, () => {
  it('is asked with its own feature on the same rows while the tables have it, and stands in nobody’s way once they have not', async () => {
    const model = `returns-${randomUUID().slice(0, 8)}`;
    for (const month of [1, 2]) await putMonth(model, month, ['colour']);
    const first = await train(definitionOf(model, 'colour'), '2024-02');
    expect([first.version, first.evaluation.championSha256]).toEqual([1, null]);
    await makeChampion(model, 1);

    // The table is expanded: the column has both names for a time.
    for (const month of [1, 2, 3]) await putMonth(model, month, ['colour', 'color']);
    const second = await train(
      definitionOf(model, 'color', { colour: { type: 'string', until: '2999-12-31' } }),
      '2024-03',
    );
    expect(second.evaluation).toMatchObject({ championVersion: 1, championHoldoutSha256: expect.any(String) });
    expect(second.evaluation.notCompared).toBeUndefined();
    // Both learned the same of the same column: nothing but its name differs.
    expect(second.evaluation.comparison?.champion.rocAuc).toBeGreaterThan(0.75);
    expect(second.outcomes).toContain('no worse than the champion: pass');
    expect(second.version).toBe(2);
    expect(await evidenceOf(model, 2)).toMatchObject({
      championMetrics: second.evaluation.comparison?.champion,
      contract: {
        verdict: 'compatible-with-defaults',
        against: [1],
        changes: [{ feature: 'colour' }, { feature: 'color', default: 'blue' }],
      },
    });

    // The old name is gone from all of the tables. Version 1 is champion still.
    for (const month of [1, 2, 3]) await putMonth(model, month, ['color']);
    const third = await train(
      definitionOf(model, 'color', { colour: { type: 'string', until: '2999-12-31' } }),
      '2024-03',
    );
    expect(third.version).toBe(3);
    expect(third.outcomes.join()).not.toContain('no worse than the champion');
    expect(third.gates.summary).toMatch(
      /Not evaluated: no worse than the champion\. Version 1, the champion, cannot be measured .*no column colour/,
    );
    expect(await evidenceOf(model, 3)).toMatchObject({
      championMetrics: null,
      notCompared: expect.stringContaining('no column colour'),
    });
  });
});
