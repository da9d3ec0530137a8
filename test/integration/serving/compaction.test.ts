import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compactPredictions, type CompactionDeps } from '../../../activities/serving/compact-predictions.js';
import { indexLabels } from '../../../activities/serving/index-labels.js';
import { createServedOutcomes } from '../../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { judgedMetricSchema, type JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { LogKind } from '../../../domain/serving/prediction-log-columns.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';
import { findPrediction } from '../../../serving/prediction-lookup/prediction-finder.js';
import { openTestBucket } from '../data/test-bucket.js';

let store: ObjectStore;
let home: string;
beforeAll(async () => {
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-compaction-'));
});
afterAll(async () => {
  store.close();
  await rm(home, { recursive: true, force: true });
});

const environment = 'production' as const;
const day = '2025-03-10';
const start = Date.parse(`${day}T06:00:00Z`);
const minutes = (count: number) => new Date(start + count * 60_000);
const dayOf = (time: Date) => time.toISOString().slice(0, 10);
const soon = () => new Date();
/** When what was merged now may be removed. */
const later = () => new Date(Date.now() + 3_600_000);

let model: string;
let number = 0;
beforeEach(() => {
  number += 1;
  model = `compacted-${number}`;
});

const idOf = (made: Date, request: number) => `p-${made.getTime().toString(36)}-0badcafe-${request.toString(36)}`;
const prediction = (id: string, at: Date, features: object = { temp: 40, carrier: 'UA' }, version = 1) =>
  JSON.stringify({
    ...{ prediction_id: id, request_id: null, row: 0, at: at.toISOString(), environment, model, version, epoch: 5 },
    ...{ role: 'split', key_hash: null, features, probability: 0.25, label: false, latency_ms: 2 },
  });
const label = (id: string, value: boolean, received: Date) =>
  JSON.stringify({
    ...{ prediction_id: id, model, label: value },
    ...{ observed_at: received.toISOString(), received_at: received.toISOString() },
  });

async function ship(kind: LogKind, began: Date, lines: readonly string[]): Promise<string> {
  const time = began.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const segment = `${time}-0badcafe-${String((number += 1)).padStart(6, '0')}`;
  const folder = path.join(home, 'segments');
  await mkdir(folder, { recursive: true });
  const [source, parquet] = [path.join(folder, `${segment}.ndjson`), path.join(folder, `${segment}.parquet`)];
  await writeFile(source, `${lines.join('\n')}\n`);
  await segmentToParquet(kind, source, parquet, folder);
  const key =
    kind === 'predictions'
      ? objectKeys.predictions(environment, model, dayOf(began), segment)
      : objectKeys.labels(model, dayOf(began), segment);
  await store.put(key, { file: parquet });
  return key;
}

/** So many segments a minute apart, of a row each, and the ids of the rows. */
async function shipDay(segments: number): Promise<string[]> {
  const ids: string[] = [];
  for (let segment = 0; segment < segments; segment += 1) {
    const id = idOf(minutes(segment), segment + 1);
    await ship('predictions', minutes(segment), [prediction(id, minutes(segment))]);
    ids.push(id);
  }
  return ids;
}

const contract = contractSchema.parse({
  entity: ['id'],
  eventTime: 'at',
  label: { name: 'late', type: 'boolean' },
  features: { temp: { type: 'number', nullable: true }, carrier: { type: 'string' } },
});
const warm = judgedMetricSchema.parse({
  ...{ metric: 'value', name: 'warmth', from: 'temp', min: 0, max: 100 },
  ...{ direction: 'lower-is-better', margin: 1, harm: 5 },
});

/** Predictions and labels, as the judge reads them. */
async function judged(through: Pick<ObjectStore, 'list' | 'listFolders' | 'get' | 'getToFile'> = store) {
  const counted = await counts(through, []);
  return {
    predictions: counted.reduce((total, one) => total + one.predictions, 0),
    labelled: counted.reduce((total, one) => total + one.labelled, 0),
  };
}

/** The sum of a feature, between 0 and 1 each. */
async function warmth() {
  const counted = await counts(store, [warm]);
  return counted.reduce((total, one) => total + (one.samples['value:warmth']?.sum ?? 0), 0);
}

function counts(
  through: Pick<ObjectStore, 'list' | 'listFolders' | 'get' | 'getToFile'>,
  metrics: readonly JudgedMetric[],
) {
  const question = { environment, model, epochFrom: 1, epochTo: 9, from: minutes(0), to: minutes(600), contract };
  return createServedOutcomes({ store: through, config: { home } }).count({ ...question, metrics });
}

const deps = (more: Partial<CompactionDeps> = {}): CompactionDeps => ({ store, home, now: soon(), ...more });
const compact = (more: Partial<CompactionDeps> = {}) => compactPredictions(deps(more), { environment, model, day });
const objects = async () =>
  (await store.list(objectKeys.predictionsOfDay(environment, model, day))).map(
    ({ key }) => key.split('/').at(-1) ?? '',
  );
const segmentsLeft = async () => (await objects()).filter((name) => /^\d{8}T/.test(name)).length;

const finder = async () => {
  const workFolder = await mkdtemp(path.join(home, 'find-'));
  const spools = { predictions: path.join(workFolder, 'none'), labels: path.join(workFolder, 'none') };
  return { environment, spools, workFolder, cacheFolder: path.join(workFolder, 'cache'), store };
};
const passport = async (id: string) => findPrediction(await finder(), id, ['another-model', model]);

/** A process that dies at its nth change of the store, before it or just after. */
function dyingAt(change: number, isAfter: boolean): CompactionDeps['store'] & { changes: () => number } {
  let changes = 0;
  const dying =
    <Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      changes += 1;
      if (changes > change || (changes === change && !isAfter)) throw new Error('killed');
      const result = await work(...args);
      if (changes === change) throw new Error('killed');
      return result;
    };
  const { list, listFolders, get, getToFile } = store;
  return {
    list,
    listFolders,
    get,
    getToFile,
    put: dying(store.put),
    delete: dying(store.delete),
    changes: () => changes,
  };
}

describe('a day of the prediction log', () => {
  test('becomes one object, and every reader sees each row once: before, while merged ones are still there, and after', async () => {
    const ids = await shipDay(12);
    await ship('labels', minutes(30), [label(ids[3] ?? '', true, minutes(30))]);
    const before = await judged();
    expect(before).toEqual({ predictions: 12, labelled: 1 });
    expect(await compact()).toMatchObject({ merged: 12, parts: 1, rows: 12, removed: 0, more: false });
    expect(await segmentsLeft()).toBe(12);
    expect(await judged()).toEqual(before);
    expect(await compact({ now: later() })).toMatchObject({ merged: 0, removed: 12 });
    expect(await segmentsLeft()).toBe(0);
    expect(await judged()).toEqual(before);
    expect(await passport(ids[7] ?? '')).toMatchObject({
      prediction: { prediction_id: ids[7], features: { temp: 40, carrier: 'UA' }, version: 1, epoch: 5 },
      label: null,
    });
    expect(await passport(ids[3] ?? '')).toMatchObject({ label: { label: true } });
  });

  test('killed at any change of the store, nothing is lost or counted twice, and the next try ends it', async () => {
    for (let change = 1; ; change += 1) {
      for (const isAfter of [false, true]) {
        model = `killed-${change}-${isAfter}`;
        await shipDay(3);
        const dying = dyingAt(change, isAfter);
        const ended = await compact({ store: dying })
          .then(() => compact({ store: dying, now: later() }))
          .then(
            () => true,
            () => false,
          );
        expect(await judged(), `killed ${isAfter ? 'after' : 'at'} change ${change}`).toMatchObject({ predictions: 3 });
        await compact();
        expect(await judged()).toMatchObject({ predictions: 3 });
        await compact({ now: later() });
        expect(await judged()).toMatchObject({ predictions: 3 });
        expect((await objects()).filter((name) => name.startsWith('part-')).length).toBe(1);
        expect(await segmentsLeft()).toBe(0);
        if (ended) return;
      }
    }
  });

  test('two at a time leave one result, and the loser’s objects go', async () => {
    await shipDay(4);
    const results = await Promise.allSettled([compact(), compact()]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await judged()).toMatchObject({ predictions: 4 });
    await shipDay(1);
    await compact();
    await compact({ now: later() });
    expect((await objects()).filter((name) => name.startsWith('part-'))).toHaveLength(1);
    expect(await judged()).toMatchObject({ predictions: 5 });
  });

  test('a segment that comes late is merged later, and one that comes again counts once', async () => {
    const ids = await shipDay(2);
    await compact();
    const id = idOf(minutes(3), 99);
    await ship('predictions', minutes(3), [prediction(id, minutes(3))]);
    expect(await judged()).toMatchObject({ predictions: 3 });
    expect(await compact()).toMatchObject({ merged: 1, parts: 1, rows: 3 });
    await compact({ now: later() });
    expect((await objects()).toSorted()).toEqual([
      expect.stringMatching(/^compacted-/),
      expect.stringMatching(/^part-/),
    ]);

    const again = await ship('predictions', minutes(5), [prediction(idOf(minutes(5), 100), minutes(5))]);
    const bytes = await store.get(again);
    await compact();
    await compact({ now: later() });
    await store.put(again, bytes);
    expect(await judged()).toMatchObject({ predictions: 4 });
    expect(await compact({ now: later() })).toMatchObject({ merged: 0, removed: 1 });
    expect(await passport(ids[0] ?? '')).toMatchObject({ prediction: { prediction_id: ids[0] } });
  });

  test('a reader that has listed what is merged and removed meanwhile reads again', async () => {
    await shipDay(3);
    let isFirst = true;
    const slow: typeof store = {
      ...store,
      getToFile: async (key, file, expected) => {
        if (isFirst && key.startsWith('predictions/')) {
          isFirst = false;
          await compact();
          await compact({ now: later() });
        }
        return store.getToFile(key, file, expected);
      },
    };
    expect(await judged(slow)).toMatchObject({ predictions: 3 });
    expect(isFirst).toBe(false);
  });

  test('a damaged segment stays where it is and does not hold up the others', async () => {
    await shipDay(3);
    const damaged = await ship('predictions', minutes(7), [prediction(idOf(minutes(7), 7), minutes(7))]);
    await store.put(damaged, 'no Parquet at all');
    expect(await compact()).toMatchObject({ rows: 3, parts: 1 });
    expect(await compact({ now: later() })).toMatchObject({ merged: 0, removed: 3 });
    expect(await objects()).toContain(damaged.split('/').at(-1));
    expect(await judged()).toMatchObject({ predictions: 3 });
  });

  test('keeps features of versions that type them differently, and those of older objects', async () => {
    const ids = [1, 2, 3].map((request) => idOf(minutes(request), request));
    await ship('predictions', minutes(1), [prediction(ids[0] ?? '', minutes(1), { temp: 40, sky: null }, 1)]);
    await ship('predictions', minutes(2), [prediction(ids[1] ?? '', minutes(2), { temp: 'warm', carrier: 'AA' }, 2)]);
    await ship('predictions', minutes(3), [prediction(ids[2] ?? '', minutes(3), { temp: '60' }, 3)]);
    await compact();
    await compact({ now: later() });
    const features = await Promise.all(ids.map(async (id) => (await passport(id))?.prediction.features));
    expect(features).toEqual([{ temp: 40, sky: null }, { temp: 'warm', carrier: 'AA' }, { temp: '60' }]);
    expect(await warmth()).toBe(1);
  });
});

describe('labels', () => {
  const index = (labelDay: string, more: Partial<CompactionDeps> = {}) =>
    indexLabels(deps(more), { model, day: labelDay });
  const keys = async () => (await store.list(objectKeys.labelsOf(model))).map(({ key }) => key);

  test('lie by the day of their prediction, however late they came: a passport reads nothing else', async () => {
    const ids = await shipDay(2);
    const muchLater = new Date(start + 200 * 86_400_000);
    await ship('labels', minutes(90), [label(ids[0] ?? '', false, minutes(90)), label('no-id', true, minutes(90))]);
    await ship('labels', muchLater, [label(ids[0] ?? '', true, muchLater), label(idOf(muchLater, 5), true, muchLater)]);
    const before = await judged();
    expect(before).toMatchObject({ labelled: 1 });
    await index(day);
    await index(dayOf(muchLater));
    expect((await keys()).map((key) => key.split('/')[2] ?? '').toSorted()).toEqual([
      `predicted=${day}`,
      `predicted=${day}`,
      `predicted=${dayOf(muchLater)}`,
      'predicted=unknown',
    ]);
    expect(await judged()).toEqual(before);
    expect(await passport(ids[0] ?? '')).toMatchObject({ label: { label: true }, labelsSearched: true });
  });

  test('killed at any change of the store, none is lost', async () => {
    for (let change = 1; ; change += 1) {
      for (const isAfter of [false, true]) {
        model = `labels-${change}-${isAfter}`;
        const ids = await shipDay(2);
        for (const id of ids) await ship('labels', minutes(30), [label(id, true, minutes(30))]);
        const ended = await index(day, { store: dyingAt(change, isAfter) }).then(
          () => true,
          () => false,
        );
        expect(await judged(), `change ${change}`).toMatchObject({ labelled: 2 });
        await index(day);
        expect(await judged()).toMatchObject({ labelled: 2 });
        expect((await keys()).filter((key) => key.includes('/day='))).toEqual([]);
        if (ended) return;
      }
    }
  });

  test('of many deliveries for one day become one object, the one received last counts', async () => {
    const [id = ''] = await shipDay(1);
    for (let delivery = 0; delivery < 18; delivery += 1) {
      await ship('labels', minutes(30 + delivery), [label(id, delivery === 17, minutes(30 + delivery))]);
      await index(day);
    }
    expect((await keys()).length).toBeLessThan(4);
    expect(await passport(id)).toMatchObject({ label: { label: true } });
  });
});
