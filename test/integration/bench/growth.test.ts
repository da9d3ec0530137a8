import { afterAll, beforeAll, expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPrediction } from '../../../serving/prediction-lookup/prediction-finder.js';
import { fillLogs } from '../../../bench/growth/fill-logs.js';
import { fillDatabase } from '../../../bench/growth/fill-database.js';
import { growthShape, modelName, modelNames } from '../../../bench/growth/shape.js';
import { listPromotions } from '../../../db/promotion/promotion-lists.js';
import { rolloutWithLooks } from '../../../db/rollout/rollout-lists.js';
import { listRouteHistory, listRoutes } from '../../../db/serving/route-lists.js';
import { versionWithOrigin } from '../../../db/model/version-lists.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { evidenceSchema } from '../../../domain/promotion/promotion.js';
import { startApi, type TestApi } from '../api/start-api.js';

const shape = growthShape({ models: 3, versions: 4, months: 2, perDay: 5 }, new Date('2026-03-10T12:00:00Z'));
const newest = { model: modelName(shape, 3), version: 4 };

const artifacts = new Map(modelNames(shape).map((model) => [model, digestOf(model)]));

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
  await fillDatabase({ url: running.url, ownerUrl: running.ownerUrl }, running.store, shape, artifacts);
});
afterAll(() => running.close());

it('the bench fills a database as the product would: each version is trained, promoted and rolled out in its time', async () => {
  const { api, db } = running;
  expect((await api.models()).items.map(({ name, newestVersion }) => [name, newestVersion])).toEqual(
    [1, 2, 3].map((number) => [modelName(shape, number), 4]),
  );
  expect((await api.versions(newest.model)).items.map(({ version }) => version)).toEqual([4, 3, 2, 1]);
  const version = await versionWithOrigin(db, newest.model, newest.version);
  expect(version.createdAt > shape.from && version.createdAt < shape.to).toBe(true);
  expect((await listRoutes(db, { limit: 10 })).items).toHaveLength(6);
  const { items: routes } = await listRouteHistory(db, { model: newest.model, environment: 'staging', limit: 100 });
  expect(routes.map(({ epoch }) => epoch)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(routes.slice(0, 3).map(({ split }) => split)).toEqual([
    [{ version: 4, sharePct: 100 }],
    [
      { version: 3, sharePct: 75 },
      { version: 4, sharePct: 25 },
    ],
    [
      { version: 3, sharePct: 95 },
      { version: 4, sharePct: 5 },
    ],
  ]);
});

it('what it writes is read by the product: a promotion with its evidence, a rollout with its looks, a plan', async () => {
  const { api, db } = running;
  const [promotion] = (await listPromotions(db, { ...newest, environment: 'production', limit: 1 })).items;
  const detail = await api.promotion(promotion?.id ?? '');
  expect(evidenceSchema.parse(detail.evidence)).toMatchObject({ ...newest, champion: 3 });
  expect(detail.decisions).toMatchObject([{ decision: 'approve', counted: true }]);
  const [rollout] = (await api.rollouts({ model: newest.model, environment: 'production', limit: 1 })).items;
  const { looks } = await rolloutWithLooks(db, rollout?.id ?? '');
  expect(looks).toHaveLength(12);
  expect(await api.promotionPlan(newest.model, 3, 'production')).toMatchObject({ champion: 4, strategy: 'canary' });
});

it('a prediction of the first day is found among those of other models, with its label', async () => {
  const fewDays = { ...shape, from: new Date(shape.to.getTime() - 4 * 24 * 3_600_000) };
  const id = await fillLogs(running.store, fewDays);
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-growth-test-'));
  const spools = { predictions: path.join(folder, 'predictions'), labels: path.join(folder, 'labels') };
  const places = {
    environment: 'production' as const,
    spools,
    workFolder: folder,
    cacheFolder: folder,
    store: running.store,
  };
  const found = await findPrediction(places, id, modelNames(shape));
  await rm(folder, { recursive: true, force: true });
  expect(found).toMatchObject({ prediction: { prediction_id: id, model: newest.model }, label: { label: false } });
});
