import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createServedOutcomes,
  type ServedOutcomes,
  type ServedOutcomesQuestion,
} from '../../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { judgedMetricSchema } from '../../../domain/rollout/judge/judge-policy.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { LogKind } from '../../../domain/serving/prediction-log-columns.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';
import { openTestBucket } from './test-bucket.js';

let store: ObjectStore;
let home: string;
beforeAll(async () => {
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-outcomes-'));
});
afterAll(async () => {
  store.close();
  await rm(home, { recursive: true, force: true });
});

/** Noon, nine days ago. */
const noon = new Date(Math.floor(Date.now() / 86_400_000 - 9) * 86_400_000 + 43_200_000);
const later = (hours: number) => new Date(noon.getTime() + hours * 3_600_000);
const segmentTime = (hours: number) =>
  later(hours)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '');

const contract = contractSchema.parse({
  entity: ['id'],
  eventTime: 'at',
  label: { name: 'late', type: 'boolean' },
  features: { temp: { type: 'number', nullable: true }, carrier: { type: 'string' } },
});
const metrics = [
  { metric: 'errorShare' },
  { metric: 'quality', loss: 'error', margin: 0.01, harm: 0.1 },
  { metric: 'quality', loss: 'brier', margin: 0.01, harm: 0.1 },
  { metric: 'quality', loss: 'logLoss', margin: 0.01, harm: 0.1 },
  { metric: 'outcome', direction: 'higher-is-better' },
  {
    ...{
      metric: 'value',
      name: 'warmth',
      from: `CASE WHEN carrier = 'UA' THEN temp + latency_ms END`,
      min: 0,
      max: 100,
    },
    ...{ direction: 'lower-is-better', margin: 1, harm: 5 },
  },
].map((metric) => judgedMetricSchema.parse(metric));

let model: string;
let number = 0;
beforeEach(() => {
  number += 1;
  model = `model-${number}`;
});

interface Served {
  id: string;
  version?: number;
  epoch?: number;
  role?: string;
  probability?: number;
  temp?: number | null;
  carrier?: string;
}
const prediction = ({
  id,
  version = 1,
  epoch = 5,
  role = 'split',
  probability = 0.25,
  temp = 40,
  carrier = 'UA',
}: Served) =>
  JSON.stringify({
    ...{
      prediction_id: id,
      row: 0,
      request_id: null,
      at: noon.toISOString(),
      environment: 'production',
      model,
      version,
      epoch,
      role,
    },
    ...{ key_hash: null, latency_ms: 2, features: { temp, carrier }, probability, label: probability >= 0.5 },
  });
const label = (id: string, value: boolean, hours = 1) =>
  JSON.stringify({
    prediction_id: id,
    model,
    label: value,
    observed_at: later(hours).toISOString(),
    received_at: later(hours).toISOString(),
  });

/** A segment as the shipper sends it, begun some hours after noon. */
async function ship(kind: LogKind, hours: number, lines: readonly string[]): Promise<string> {
  const began = segmentTime(hours);
  const segment = `${began}-b00t-00000${(number += 1)}`;
  const day = `${began.slice(0, 4)}-${began.slice(4, 6)}-${began.slice(6, 8)}`;
  const folder = path.join(home, 'segments');
  await mkdir(folder, { recursive: true });
  const source = path.join(folder, `${segment}.ndjson`);
  await writeFile(source, lines.join('\n'));
  const parquet = path.join(folder, `${segment}.parquet`);
  await segmentToParquet(kind, source, parquet, folder);
  const key =
    kind === 'predictions'
      ? objectKeys.predictions('production', model, day, segment)
      : objectKeys.labels(model, day, segment);
  await store.put(key, { file: parquet });
  return key;
}

async function count(
  more: Partial<ServedOutcomesQuestion> = {},
  dependencies: Partial<Parameters<typeof createServedOutcomes>[0]> = {},
) {
  const outcomes = createServedOutcomes({ store, config: { home }, ...dependencies });
  const from = later(-0.01);
  const to = later(1);
  return outcomes.count({
    environment: 'production',
    model,
    epochFrom: 1,
    epochTo: 9,
    from,
    to,
    metrics,
    contract,
    ...more,
  });
}
const brief = (counted: readonly ServedOutcomes[]) =>
  counted.map(({ version, role, predictions, labelled }) => `${version} ${role} ${predictions} ${labelled}`);

describe('what was answered, joined with what happened', () => {
  test('is counted by version and role, every metric scaled to [0, 1]', async () => {
    await ship('predictions', 0, [
      prediction({ id: 'p-1', probability: 0.25, temp: 40 }),
      prediction({ id: 'p-2', probability: 0.75, temp: 500 }),
      prediction({ id: 'p-3', probability: 0.75, temp: null }),
      prediction({ id: 'p-4', version: 2, probability: 0, carrier: 'AA' }),
    ]);
    await ship('labels', 1, [label('p-1', true), label('p-2', true), label('p-4', true)]);
    const [champion, challenger] = await count();
    expect(champion).toMatchObject({ version: 1, role: 'split', predictions: 3, labelled: 2 });
    expect(Object.keys(champion?.samples ?? {})).toEqual([
      'quality:error',
      'quality:brier',
      'quality:logLoss',
      'outcome',
      'value:warmth',
    ]);
    expect(champion?.samples['quality:error']).toEqual({ count: 2, sum: 1 });
    expect(champion?.samples['quality:brier']).toEqual({ count: 2, sum: 0.75 ** 2 + 0.25 ** 2 });
    expect(champion?.samples['quality:logLoss']?.sum).toBeCloseTo((-Math.log(0.25) - Math.log(0.75)) / 10, 12);
    expect(champion?.samples['outcome']).toEqual({ count: 2, sum: 2 });
    // 40 °F and 2 ms of 0 to 100; 502 is clipped to 100; without a temperature there is no value.
    expect(champion?.samples['value:warmth']).toEqual({ count: 2, sum: 1.42 });
    expect(challenger).toMatchObject({ version: 2, predictions: 1, labelled: 1 });
    // A certain mistake is infinitely wrong: it counts as 10 nats.
    expect(challenger?.samples['quality:logLoss']).toEqual({ count: 1, sum: 1 });
    expect(challenger?.samples['value:warmth']).toEqual({ count: 0, sum: 0 });
  });

  test('takes the label received last, however often and in whichever segment it came, and none of unknown predictions', async () => {
    await ship('predictions', 0, [prediction({ id: 'p-1' }), prediction({ id: 'p-2' }), prediction({ id: 'p-3' })]);
    await ship('labels', 2, [label('p-1', true, 2), label('p-2', true), label('p-2', true)]);
    await ship('labels', 1, [label('p-1', false), label('p-3', true), label('p-3', false), label('p-unknown', true)]);
    const [counted] = await count();
    expect(counted).toMatchObject({ predictions: 3, labelled: 3, samples: { outcome: { count: 3, sum: 2 } } });
  });

  test('sees a label that came days later', async () => {
    await ship('predictions', 0, [prediction({ id: 'p-1' })]);
    expect(brief(await count())).toEqual(['1 split 1 0']);
    await ship('labels', 140, [label('p-1', true, 140)]);
    expect(brief(await count())).toEqual(['1 split 1 1']);
  });

  test('labels the rows of a batch one by one, and a shadow by the request that it copied', async () => {
    await ship('predictions', 0, [
      prediction({ id: 'p-1.0' }),
      prediction({ id: 'p-1.1' }),
      prediction({ id: 'p-1.0~v2', version: 2, role: 'shadow' }),
      prediction({ id: 'p-1~v2.1', version: 2, role: 'shadow' }),
      prediction({ id: 'p-2', version: 2, role: 'override' }),
    ]);
    await ship('labels', 1, [label('p-1.1', true)]);
    expect(brief(await count())).toEqual(['1 split 2 1', '2 override 1 0', '2 shadow 2 1']);
  });

  test('counts only the epochs asked for, and only segments that may hold them', async () => {
    await ship('predictions', 0, [prediction({ id: 'p-1', epoch: 4 }), prediction({ id: 'p-2', epoch: 5 })]);
    await ship('predictions', 11.9, [prediction({ id: 'p-3', epoch: 5 })]);
    expect(brief(await count({ epochFrom: 5, epochTo: 5 }))).toEqual(['1 split 1 0']);
    expect(brief(await count({ epochFrom: 5, epochTo: 5, to: later(12) }))).toEqual(['1 split 2 0']);
  });

  test('is nothing on days without traffic', async () => {
    expect(await count()).toEqual([]);
  });

  test('reads segments from before the log knew roles', async () => {
    const old = (id: string) => prediction({ id }).replace('"role":"split",', '');
    await ship('predictions', 0, [old('p-1'), old('p-2~v3')]);
    expect(brief(await count())).toEqual(['1 shadow 1 0', '1 split 1 0']);
  });

  test('skips torn lines, and leaves out a damaged object, which it names', async () => {
    await ship('predictions', 0, [prediction({ id: 'p-1' }), prediction({ id: 'p-2' }).slice(0, 60)]);
    const torn = await ship('predictions', 0.001, [prediction({ id: 'p-3' })]);
    const whole = await store.get(torn);
    await store.put(torn, whole.slice(0, whole.length - 20));
    const mixed = await ship('labels', 0.001, [label('p-1', true)]);
    await store.put(mixed, 'no Parquet at all');
    await ship('labels', 0.002, [label('p-1', true)]);
    const unreadable: string[] = [];
    expect(brief(await count({}, { onUnreadable: (key) => unreadable.push(key) }))).toEqual(['1 split 1 1']);
    expect(unreadable.toSorted()).toEqual([mixed, torn].toSorted());
  });

  test('is the same with a cache that holds nothing, and the cache keeps its bound', async () => {
    for (let hour = 0; hour < 3; hour += 1) await ship('predictions', hour / 100, [prediction({ id: `p-${hour}` })]);
    const own = await mkdtemp(path.join(home, 'own-'));
    const bytesOf = async (folder: string): Promise<number> => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const sizes = entries
        .filter((entry) => entry.isFile())
        .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    };
    expect(brief(await count({}, { config: { home: own }, cacheBytesMax: 0 }))).toEqual(['1 split 3 0']);
    expect(await bytesOf(own)).toBe(0);
    const downloads: string[] = [];
    const counting = {
      ...store,
      getToFile: (key: string, file: string) => (downloads.push(key), store.getToFile(key, file)),
    };
    for (let look = 0; look < 2; look += 1) await count({}, { store: counting, config: { home: own } });
    expect(downloads).toHaveLength(3);
  });
});
