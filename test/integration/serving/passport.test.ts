import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createObjectStore, type ObjectStore } from '../../../adapters/object-store/object-store.js';
import { keyPoint } from '../../../domain/serving/route-choice.js';
import { testBucketOptions } from '../data/test-bucket.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld } from '../../support/gateway-harness.js';

// Each test starts processes by the dozen and kills them: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 240_000 });

let world: TestWorld;
let store: ObjectStore;
const bucket = testBucketOptions();
beforeEach(async () => {
  store = createObjectStore(bucket);
  await store.ensureBucket();
  world = await createTestWorld();
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
  world.controlPlane.route('flight-delay', 3, [
    { version: 1, sharePct: 75 },
    { version: 2, sharePct: 25 },
  ]);
});
afterEach(async () => {
  await world.close();
  store.close();
});

async function start(objectStore?: typeof bucket): Promise<{ url: string; stop: () => Promise<void> }> {
  const { gateway, url } = await world.start({ segmentAgeMaxMs: 300 }, objectStore);
  await eventually('the route is served', () => gateway.status().routes.length === 1);
  return { url, stop: () => gateway.stop() };
}

async function predict(url: string, rows: number, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${url}/v2/models/flight-delay/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(inferBody(Array.from({ length: rows }, (_, row) => ({ ...exampleRow, dep_delay: row })))),
  });
  expect(response.status).toBe(200);
  return response.headers.get('x-perdure-prediction-id') ?? '';
}

const label = (url: string, id: string, value: boolean) =>
  fetch(`${url}/v1/models/flight-delay/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ prediction_id: id, label: value, observed_at: '2026-01-01T00:00:00Z' }]),
  });

async function passport(url: string, id: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/predictions/${id}`, { headers });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: JSON.parse(await response.text()) as Record<string, unknown>,
  };
}

test('tells what was served, why, and by whose leave, from the spool', async () => {
  const { url } = await start();
  const id = await predict(url, 1, { 'x-perdure-key': 'customer-7' });
  await label(url, id, false);
  await label(url, id, true);
  const { status, body } = await passport(url, id, { 'x-perdure-key': 'customer-7' });
  expect(status).toBe(200);
  const point = keyPoint('flight-delay', 'customer-7');
  const version = point < 25 ? 2 : 1;
  expect(body).toMatchObject({
    prediction_id: id,
    version,
    epoch: 3,
    features: { carrier: 'UA', wind_gust: null },
    answer: { label: expect.any(Boolean) as boolean },
    outcome: { label: true },
    why: {
      role: 'split',
      by: 'key',
      cause: null,
      key_matches: true,
      point,
      stretch: version === 2 ? { from: 0, to: 25 } : { from: 25, to: 100 },
    },
    registered: { runId: `run-${version}` },
    card: { key: `cards/flight-delay/${version}/card.json`, sha256: null },
  });
  expect(await passport(url, id, { 'x-perdure-key': 'another' })).toMatchObject({
    body: { why: { key_matches: false, point: null } },
  });
});

test('tells the rows of a batch one by one', async () => {
  const { url } = await start();
  const id = await predict(url, 3);
  expect(await passport(url, `${id}.2`)).toMatchObject({
    status: 200,
    body: { features: { dep_delay: 2 }, outcome: null, why: { by: 'draw' } },
  });
  expect(await passport(url, id)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining(`${id}.0 to ${id}.2`) as string },
  });
});

test('finds what is shipped, with a label that came later, also after a restart', async () => {
  const first = await start(bucket);
  const id = await predict(first.url, 2);
  const spooled = () => readdir(path.join(world.folder, 'home/spool/predictions/flight-delay'));
  await eventually(
    'the segment is shipped',
    async () => (await store.list('predictions/production/flight-delay/')).length > 0,
  );
  await eventually('the spool is empty', async () => (await spooled()).length === 0);
  await label(first.url, `${id}.1`, true);
  await eventually('the label is shipped', async () => (await store.list('labels/flight-delay/')).length > 0);
  await store.put('cards/flight-delay/1/card.json', '{}');
  await store.put('cards/flight-delay/2/card.json', '{}');
  await first.stop();
  const { url } = await start(bucket);
  expect(await passport(url, `${id}.1`)).toMatchObject({
    status: 200,
    body: {
      features: { dep_delay: 1 },
      outcome: { label: true },
      card: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    },
  });
});

test('tells what caused an override, from the spool and once it is shipped', async () => {
  world.controlPlane.route('flight-delay', 4, [{ version: 1, sharePct: 100 }], {
    overrides: [{ version: 2, keys: ['ann'], headers: [{ name: 'x-team', value: 'qa' }] }],
  });
  const { url } = await start(bucket);
  const version = await predict(url, 1, { 'x-perdure-version': '2' });
  const key = await predict(url, 3, { 'x-perdure-key': 'ann' });
  const header = await predict(url, 1, { 'x-team': 'qa' });
  const causes = async () =>
    Promise.all(
      [version, `${key}.1`, header].map(
        async (id) => ((await passport(url, id)).body['why'] as Record<string, unknown>)['cause'],
      ),
    );
  expect(await causes()).toEqual(['version', 'key', 'header']);
  const spooled = () => readdir(path.join(world.folder, 'home/spool/predictions/flight-delay'));
  await eventually(
    'the segments are shipped',
    async () => (await store.list('predictions/production/flight-delay/')).length > 0,
  );
  await eventually('the spool is empty', async () => (await spooled()).length === 0);
  expect(await causes()).toEqual(['version', 'key', 'header']);
});

test('is 404 for an unknown id, 400 for what is no id, 503 while Postgres or the object store is away', async () => {
  const { url, stop } = await start();
  const id = await predict(url, 1);
  expect((await passport(url, id.replace(/-[0-9a-z]+$/, '-zzz'))).status).toBe(404);
  for (const wrong of ['nothing', 'p-1-2-3', `${id}.x`, `${id}%27`])
    expect((await passport(url, wrong)).status, wrong).toBe(400);
  world.controlPlane.away = true;
  expect(await passport(url, id)).toMatchObject({
    status: 503,
    retryAfter: '1',
    body: { error: expect.stringContaining('PostgreSQL') as string },
  });
  await stop();
  world.controlPlane.away = false;
  const cut = await start({ ...bucket, endpoint: 'http://127.0.0.1:9' });
  expect(await passport(cut.url, id.replace(/-[0-9a-z]+$/, '-zzz'))).toMatchObject({ status: 503, retryAfter: '1' });
});

test('labels are told apart: those that have found their prediction, those that may find it yet, those that name none', async () => {
  const { url } = await start(bucket);
  const id = await predict(url, 2);
  await predict(url, 1);
  const [, time = '', boot = ''] = /^p-([0-9a-z]+)-([0-9a-f]{8})-/.exec(id) ?? [];
  const counts = async () =>
    (await (await fetch(`${url}/v1/models/flight-delay/labels?days=1`)).json()) as Record<string, number> & {
      unmatchedIds: string[];
    };
  const send = async (...ids: string[]) => {
    const body = ids.map((prediction_id) => ({ prediction_id, label: true, observed_at: '2026-01-01T00:00:00Z' }));
    const response = await fetch(`${url}/v1/models/flight-delay/labels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
  };
  const before = await counts();

  // What this gateway knows at once: it has not made so many, and nobody has made one in the future.
  const ahead = `p-${(Date.now() + 86_400_000).toString(36)}-00000000-1`;
  const strangers = [`p-${time}-${boot}-zz9`, ahead];
  expect(await send(`${id}.1`, ...strangers)).toMatchObject({
    status: 202,
    accepted: 1,
    unmatched: 2,
    unmatched_ids: strangers,
  });
  expect(await send('p-invented')).toMatchObject({
    status: 400,
    error: expect.stringContaining('labels[0].prediction_id') as string,
  });

  // A label that comes later than its model waits for one is left out, and said to be.
  const lateOf = (days: number) => `p-${(Date.now() - days * 86_400_000).toString(36)}-0badcafe-3`;
  expect(await send(lateOf(31), lateOf(32))).toMatchObject({
    ...{
      status: 202,
      accepted: 0,
      unmatched: 0,
      late: 2,
      late_ids: [lateOf(31), lateOf(32)].map(() => expect.any(String)),
    },
    late_after: '30 days after the prediction (monitoring.labelDelayMaxDays)',
  });
  const gone = await fetch(`${url}/v1/predictions/${lateOf(401)}`);
  expect([gone.status, await gone.json()]).toMatchObject([
    404,
    { error: expect.stringContaining('kept for 400 days here (monitoring.retentionDays)') as string },
  ]);

  // Another gateway may have made these: one just now, one long ago.
  const young = `p-${Date.now().toString(36)}-0badcafe-1`;
  const old = `p-${(Date.now() - 3_600_000).toString(36)}-0badcafe-2`;
  expect(await send(young, old)).toMatchObject({ status: 202, accepted: 2, unmatched: 0 });
  const after = await eventually('all are counted, and the prediction is shipped', async () => {
    const now = await counts();
    return now['matched'] === (before['matched'] ?? 0) + 1 && now['labels'] === (before['labels'] ?? 0) + 3 && now;
  });
  expect([after['waiting'], after['unmatched']]).toEqual([
    (before['waiting'] ?? 0) + 1,
    (before['unmatched'] ?? 0) + 1,
  ]);
  expect(after.unmatchedIds).toContain(old);
  expect((await fetch(`${url}/v1/models/flight-delay/labels?days=0`)).status).toBe(400);
});
