import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEvaluationActivities } from '../../../activities/evaluation/evaluation.js';
import { createSnapshotActivities } from '../../../activities/data/snapshot.js';
import { createTrainingActivities } from '../../../activities/training/training.js';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { snapshotByDigest } from '../../../db/data/partition-queries.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { openRun } from '../../../db/training/run-queries.js';
import { evaluationSchema } from '../../../domain/evaluation/evaluation.js';
import { definitionDigest, type ModelDefinition } from '../../../domain/model/model-definition.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
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
  home = await mkdtemp(path.join(tmpdir(), 'perdure-folds-'));
  const { projectRoot, environments, training } = loadPerdureConfig(process.env);
  const config = { home, projectRoot, environments, training };
  deps = {
    db,
    store,
    cache: createFileCache(store, path.join(home, 'cache')),
    config,
  } as unknown as ActivityDependencies;
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** 240 flowers of three kinds in one table; two measures tell them apart, but for noise. */
async function flowers(split: object): Promise<ModelDefinition> {
  const name = `f-${randomUUID().slice(0, 8)}`;
  const definition = parseModelDefinition({
    ...{ name, description: 'flowers', owner: 'test', task: 'multiclass' },
    contract: {
      ...{ entity: ['id'], eventTime: 'seen', label: { name: 'kind', type: 'string', classes: ['a', 'b', 'c'] } },
      features: { width: { type: 'number' }, length: { type: 'number' } },
    },
    data: {
      tables: {
        flowers: {
          partitioned: false,
          columns: { id: 'integer', seen: 'timestamp', width: 'number', length: 'number', kind: 'string' },
        },
      },
      ...{ base: 'flowers', cadence: 'static', split },
    },
    training: { algorithm: 'sklearn', parameters: { estimator: 'logistic-regression' } },
    evaluation: { gates: [{ name: 'right', metric: 'accuracy', atLeast: 0.5 }], bootstrapRounds: 100 },
    rollout: { strategy: 'direct', reason: 'a test' },
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const file = path.join(home, `${name}.parquet`);
  await connection.run(
    `COPY (SELECT i AS id, TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS seen, ['a', 'b', 'c'][1 + i % 3] AS kind,
      i % 3 + ((i * 7919) % 100) / 60.0 AS width, (i % 3) * 2 + ((i * 104729) % 100) / 40.0 AS length
      FROM range(240) t(i)) TO '${file}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
  await store.putImmutable(`${objectKeys.lakeTable(name, 'flowers')}all.parquet`, { file });
  await applyDefinition(db, definition, 'test');
  return definition;
}

const perform = <Input, Output>(activity: (input: Input) => Promise<Output>, input: Input): Promise<Output> =>
  new MockActivityEnvironment().run(activity, input) as Promise<Output>;

/** What a run does from its snapshot to its evaluation. */
async function run(definition: ModelDefinition) {
  const runId = randomUUID();
  const definitionSha256 = definitionDigest(definition);
  const cause = { kind: 'person' as const };
  await openRun(db, { id: runId, workflowId: runId, model: definition.name, definitionSha256, cause, until: null });
  const snapshot = await perform(createSnapshotActivities(deps).takeSnapshot, {
    ...{ runId, model: definition.name, definitionSha256, until: null, ignoreWatermark: false },
  });
  if (snapshot.outcome !== 'taken') throw new Error(snapshot.reason);
  const of = { runId, definitionSha256, snapshotSha256: snapshot.snapshotSha256 };
  const training = createTrainingActivities(deps);
  const folds = [];
  for (const fold of snapshot.folds ?? []) folds.push(await perform(training.trainFold, { ...of, fold }));
  const { artifactSha256 } = await perform(training.train, of);
  const { evaluationKey } = await perform(createEvaluationActivities(deps).evaluateRun, {
    ...{ ...of, artifactSha256, folds: folds.map(({ fold, artifactSha256: own }) => ({ fold, artifactSha256: own })) },
  });
  const text = new TextDecoder().decode(await store.get(evaluationKey));
  return {
    ...{ snapshot, folds, artifactSha256, evaluation: evaluationSchema.parse(JSON.parse(text)) },
    manifest: await snapshotByDigest(db, of.snapshotSha256),
  };
}

describe('a static table', () => {
  it('is cross-validated: each row tested by a model that has not seen it, and one last model learns from all', async () => {
    const definition = await flowers({ kind: 'folds', folds: 3, by: 'random', stratify: true, seed: 5 });
    const { snapshot, folds, artifactSha256, evaluation, manifest } = await run(definition);
    expect(snapshot).toMatchObject({ outcome: 'taken', watermark: 'all', folds: [0, 1, 2] });
    expect(new Set([...folds.map((fold) => fold.artifactSha256), artifactSha256]).size).toBe(4);
    expect(manifest.trainedOn.rows).toBe(240);
    expect(evaluation.overall.rows).toBe(240);
    expect(evaluation.candidateSha256).toBe(artifactSha256);
    expect(evaluation.parityMaxDifference).toBeLessThan(1e-5);
    expect(evaluation.folds?.rows).toEqual([80, 80, 80]);
    const { accuracy } = evaluation.folds?.metrics ?? {};
    expect(accuracy?.mean).toBeCloseTo(evaluation.overall.metrics['accuracy'] ?? 0, 9);
    expect(accuracy?.min).toBeLessThanOrEqual(accuracy?.max ?? 0);
    expect(accuracy?.sd).toBeGreaterThanOrEqual(0);
  });

  it('that holds out a share trains once, and the same rows again are nothing new', async () => {
    const definition = await flowers({ kind: 'share', holdoutPct: 25, by: 'random', stratify: true });
    const { snapshot, folds, evaluation, manifest } = await run(definition);
    expect(snapshot).toMatchObject({ outcome: 'taken', summary: expect.stringContaining('25 % held out') as string });
    expect(folds).toEqual([]);
    expect([manifest.trainedOn.rows, evaluation.overall.rows]).toEqual([180, 60]);
    expect(evaluation.folds).toBeUndefined();
  });
});
