import { loadPerdureConfig } from '../../../perdure.config.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createObjectStore } from '../../../adapters/object-store/object-store.js';
import { buildApi } from '../../../api/build-api.js';
import { createDecisionSender } from '../../../api/promotion/decision-sender.js';
import { createModelSchedules } from '../../../api/triggers/model-schedules.js';
import { temporalTargetOf } from '../../../client/temporal-target.js';
import { askOpenWork } from '../../../api/stack/ask-open-work.js';
import { createTemporalLink } from '../../../api/temporal-connection.js';
import { connectDatabase } from '../../../db/connect.js';
import { healthSchema } from '../../../client/http/health.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
});
afterAll(() => running.close());

test('health says that the database, Temporal and S3 answer, each with its latency', async () => {
  const health = await running.api.health();
  expect(health.status).toBe('ok');
  for (const server of Object.values(health.servers)) {
    expect(server).toMatchObject({ reachable: true, error: null });
    expect(server.latencyMs).toBeGreaterThan(0);
  }
});

describe('while every server is away', () => {
  const config = { ...loadTemporalConfig(), connection: { address: '127.0.0.1:9' } };
  const temporal = createTemporalLink(config);
  const db = connectDatabase('postgres://nobody:secret-word@127.0.0.1:9/nothing');
  const objects = createObjectStore({
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    bucket: 'nothing',
    accessKeyId: 'a',
    secretAccessKey: 'b',
  });
  const build = () =>
    buildApi({
      db,
      objects,
      schedules: createModelSchedules(temporal),
      decisions: createDecisionSender({ temporal, trust: 'frontend', signer: null }),
      environments: loadPerdureConfig({}).environments,
      floors: () => Promise.resolve({}),
      pingTemporal: temporal.ping,
      accessFile: '/nowhere',
      temporalPlace: () => temporal.use(temporalTargetOf),
      openWork: () => askOpenWork(db, temporal),
      uploadFolder: '/tmp',
      uploadBytesMax: 1,
    });
  afterAll(async () => {
    await db.close();
    objects.close();
  });

  test('a page of another site, or under a name that was made to point here, is answered nothing', async () => {
    const app = await build();
    const ask = async (headers: Record<string, string>, method: 'GET' | 'POST' = 'POST') => {
      const { statusCode, body } = await app.inject({
        method,
        url: '/api/v1/apply',
        headers,
        ...(method === 'POST' && { payload: {} }),
      });
      return [statusCode, body] as const;
    };
    for (const method of ['GET', 'POST'] as const)
      expect(await ask({ host: 'evil.example:7400' }, method)).toEqual([
        421,
        expect.stringContaining('PERDURE_ALLOWED_HOSTS'),
      ]);
    expect(await ask({ host: 'localhost:7400', origin: 'http://evil.example' })).toEqual([
      403,
      expect.stringContaining('evil.example'),
    ]);
    expect((await ask({ host: '127.0.0.1:7400', 'content-type': 'text/plain' }))[0]).toBe(415);
    expect((await ask({ host: '127.0.0.1:7400', 'content-type': 'application/json' }))[0]).toBe(400);
  });

  test('health still answers 200, within the patience of a supervisor, and names all three', async () => {
    const app = await build();
    const began = performance.now();
    const response = await app.inject('/api/v1/health');
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(response.statusCode).toBe(200);
    const health = healthSchema.parse(response.json());
    expect(health.status).toBe('degraded');
    expect(Object.values(health.servers).map((server) => server.reachable)).toEqual([false, false, false]);
    expect(response.body).not.toContain('secret-word');
    await app.close();
  });

  test('a list answers 503 with the code server/unreachable and no secret', async () => {
    const app = await build();
    const response = await app.inject('/api/v1/models');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ error: { code: 'server/unreachable' } });
    expect(response.body).not.toContain('secret-word');
    await app.close();
  });
});

describe('requests that are wrong', () => {
  test.each([
    ['a path that is none', { method: 'GET', url: '/api/v1/nothing' }, 404, 'not-found'],
    ['a limit that is too high', { method: 'GET', url: '/api/v1/runs?limit=100000' }, 400, 'input/invalid'],
    ['a time that is none', { method: 'GET', url: '/api/v1/models/a/routes?at=yesterday' }, 400, 'input/invalid'],
    ['a model name with a path in it', { method: 'GET', url: '/api/v1/models/..%2Fx/versions' }, 400, 'input/invalid'],
    [
      'a body that is no JSON',
      { method: 'POST', url: '/api/v1/apply', headers: { 'content-type': 'application/json' }, payload: '{' },
      400,
      'input/invalid',
    ],
    [
      'a body with an unknown field',
      { method: 'POST', url: '/api/v1/apply', payload: { definitions: [], actor: 'a', force: true } },
      400,
      'input/invalid',
    ],
    [
      'a body without an actor',
      { method: 'POST', url: '/api/v1/apply', payload: { definitions: [] } },
      400,
      'input/invalid',
    ],
    [
      'a body of 5 MB',
      { method: 'POST', url: '/api/v1/apply', payload: { definitions: ['x'.repeat(5_000_000)], actor: 'a' } },
      413,
      'input/too-large',
    ],
    [
      'a content type that is unknown',
      { method: 'POST', url: '/api/v1/apply', headers: { 'content-type': 'text/plain' }, payload: 'x' },
      415,
      'input/unsupported',
    ],
    ['a NUL in a path', { method: 'GET', url: '/api/v1/promotions/a%00b' }, 400, 'input/invalid'],
    ['a NUL in a query', { method: 'GET', url: '/api/v1/promotions?workflowId=a%00b' }, 400, 'input/invalid'],
    [
      'a NUL deep in a definition',
      {
        method: 'POST',
        url: '/api/v1/apply',
        payload: { definitions: [{ contract: { features: { a: { levels: ['x', 'y\0'] } } } }], actor: 'a' },
      },
      400,
      'input/invalid',
    ],
    [
      'half a surrogate pair in a comment',
      { method: 'POST', url: '/api/v1/quarantine/a/2013-04/discard', payload: { comment: 'why \ud83c', actor: 'a' } },
      400,
      'input/invalid',
    ],
    ['a model that is not known', { method: 'GET', url: '/api/v1/models/nobody/data' }, 404, 'model/unknown'],
  ] as const)('%s is answered in the one shape', async (_, request, status, code) => {
    const response = await running.app.inject({ ...request });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({
      error: { code, message: expect.stringMatching(/\w+/), details: { requestId: response.headers['x-request-id'] } },
    });
  });

  test('a message names the field', async () => {
    const response = await running.app.inject({
      method: 'POST',
      url: '/api/v1/apply',
      payload: { definitions: [], actor: '' },
    });
    expect(response.json().error.message).toContain('actor');
    const definitions = [{ contract: { features: { a: { levels: ['x', 'y\0'] } } } }];
    const deep = await running.app.inject({
      method: 'POST',
      url: '/api/v1/apply',
      payload: { definitions, actor: 'a' },
    });
    expect(deep.json().error.message).toContain(
      'body.definitions[0].contract.features.a.levels[1] holds the character NUL (U+0000) at position 2',
    );
  });
});

test("a caller's request id comes back", async () => {
  const response = await running.app.inject({ url: '/api/v1/models', headers: { 'x-request-id': 'ci-42' } });
  expect(response.headers['x-request-id']).toBe('ci-42');
});

test('the OpenAPI 3.1 document describes every route', async () => {
  const response = await running.app.inject('/api/v1/openapi.json');
  const document = response.json();
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
  );
  expect(operations.toSorted()).toEqual([
    'DELETE /models/{model}/data/{table}',
    'GET /definitions/{sha256}',
    'GET /gateways',
    'GET /gateways/events',
    'GET /health',
    'GET /models',
    'GET /models/{model}',
    'GET /models/{model}/data',
    'GET /models/{model}/routes',
    'GET /models/{model}/routes/history',
    'GET /models/{model}/schedules',
    'GET /models/{model}/traffic',
    'GET /models/{model}/versions',
    'GET /models/{model}/versions/{version}',
    'GET /models/{model}/versions/{version}/artifact',
    'GET /models/{model}/versions/{version}/card',
    'GET /models/{model}/versions/{version}/plan',
    'GET /promotions',
    'GET /promotions/{id}',
    'GET /quarantine',
    'GET /quarantine/{model}/{partition}',
    'GET /rollouts',
    'GET /rollouts/{id}',
    'GET /routes',
    'GET /runs',
    'GET /runs/{id}',
    'GET /stack',
    'GET /stack/work',
    'POST /apply',
    'POST /gateways/start',
    'POST /gateways/stop',
    'POST /models/{model}/data/{table}/manifest',
    'POST /models/{model}/retire',
    'POST /models/{model}/rollouts/replay',
    'POST /models/{model}/routes/let-go',
    'POST /models/{model}/versions/{version}/archive',
    'POST /promotions/{id}/decisions',
    'POST /quarantine/{model}/{partition}/discard',
    'POST /quarantine/{model}/{partition}/release',
    'POST /rollouts/{id}/steering',
    'PUT /models/{model}/data/{table}',
    'PUT /models/{model}/data/{table}/files',
    'PUT /models/{model}/imports',
    'PUT /programs/{sha256}',
  ]);
});

test('a definition of the example model is small enough for one request a hundred times over', () => {
  expect(JSON.stringify(ownDefinition()).length * 100).toBeLessThan(4 * 1024 * 1024);
});
