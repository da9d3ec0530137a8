import { request as httpRequest, Agent } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Gateway } from '../../../serving/gateway.js';
import { eventually } from '../../support/poll-until.js';
import {
  createTestWorld,
  exampleRow,
  expectedProbability,
  inferBody,
  type TestWorld,
} from '../../support/gateway-harness.js';

let world: TestWorld;
let gateway: Gateway;
let url: string;

beforeAll(async () => {
  world = await createTestWorld();
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 4, [{ version: 1, sharePct: 100 }]);
  ({ gateway, url } = await world.start());
});
afterAll(() => world.close());

const infer = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}/v2/models/flight-delay/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
const errorOf = async (response: Response) => z.strictObject({ error: z.string() }).parse(await response.json()).error;

const responseSchema = z.strictObject({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string(),
  outputs: z.tuple([
    z.strictObject({
      name: z.literal('label'),
      datatype: z.literal('INT64'),
      shape: z.array(z.number()),
      data: z.array(z.number()),
    }),
    z.strictObject({
      name: z.literal('probabilities'),
      datatype: z.literal('FP32'),
      shape: z.array(z.number()),
      data: z.array(z.number()),
    }),
  ]),
});

describe('a JSON request', () => {
  test('is answered by the model, with the version, the epoch and a prediction id', async () => {
    const rows = [exampleRow, { ...exampleRow, temp: null, dep_delay: 120, carrier: 'AA' }];
    const response = await infer(JSON.stringify(inferBody(rows, 'mine')));
    expect(response.status).toBe(200);
    expect(response.headers.get('x-perdure-epoch')).toBe('4');
    expect(response.headers.get('x-perdure-prediction-id')).toMatch(/^p-[0-9a-z]+-[0-9a-f]{8}-[0-9a-z]+$/);
    const body = responseSchema.parse(await response.json());
    expect(body).toMatchObject({ model_name: 'flight-delay', model_version: '1', id: 'mine' });
    const [label, probabilities] = body.outputs;
    expect(label).toMatchObject({ shape: [2], data: [0, 1] });
    expect(probabilities.shape).toEqual([2, 2]);
    for (const [index, row] of rows.entries()) {
      const positive = expectedProbability(-1, row);
      expect(probabilities.data[index * 2]).toBeCloseTo(1 - positive, 6);
      expect(probabilities.data[index * 2 + 1]).toBeCloseTo(positive, 6);
    }
  });

  test('of 10,000 rows is answered in their order', async () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => ({ ...exampleRow, dep_delay: index % 500 }));
    const { outputs } = responseSchema.parse(await (await infer(JSON.stringify(inferBody(rows)))).json());
    for (const index of [0, 1, 499, 500, 5_321, 9_999]) {
      expect(outputs[1].data[index * 2 + 1]).toBeCloseTo(
        expectedProbability(-1, { ...exampleRow, dep_delay: index % 500 }),
        6,
      );
    }
  });

  test('sent by many at once is answered for each by its own rows', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const { outputs } = responseSchema.parse(
          await (await infer(JSON.stringify(inferBody([{ ...exampleRow, dep_delay: index }])))).json(),
        );
        return outputs[1].data[1];
      }),
    );
    answers.forEach((answer, index) =>
      expect(answer).toBeCloseTo(expectedProbability(-1, { ...exampleRow, dep_delay: index }), 6),
    );
  });

  test('without an id gets the prediction id as its id', async () => {
    const response = await infer(JSON.stringify(inferBody([exampleRow])));
    expect(responseSchema.parse(await response.json()).id).toBe(response.headers.get('x-perdure-prediction-id'));
  });
});

describe('a request that is wrong is refused with words, and the gateway serves on', () => {
  const good = () => inferBody([exampleRow]);
  const changed = (name: string, change: object) =>
    JSON.stringify({ inputs: good().inputs.map((input) => (input.name === name ? { ...input, ...change } : input)) });
  test.each<[string, () => Promise<Response>, number, RegExp]>([
    ['wrong shape', () => infer(changed('temp', { shape: [2, 1] })), 400, /temp has 1 values, but its shape/],
    [
      'unknown feature',
      () =>
        infer(
          JSON.stringify({ inputs: [...good().inputs, { name: 'tmp', shape: [1, 1], datatype: 'FP32', data: [1] }] }),
        ),
      400,
      /"tmp" is not a feature/,
    ],
    [
      'null where none may be',
      () => infer(changed('dep_delay', { data: [null] })),
      400,
      /dep_delay, row 0: the value is missing/,
    ],
    ['out of range', () => infer(changed('dep_delay', { data: [99999] })), 400, /dep_delay, row 0: 99999 is outside/],
    ['closed level', () => infer(changed('origin', { data: ['BOS'] })), 400, /origin, row 0: "BOS"/],
    ['no JSON', () => infer('{"inputs": [NaN'), 400, /not JSON/],
    ['empty body', () => infer(''), 400, /not JSON/],
    ['no UTF-8', () => infer(Uint8Array.of(0xff, 0xfe)), 400, /not UTF-8/],
    ['another content type', () => infer('<x/>', { 'content-type': 'text/xml' }), 415, /text\/xml/],
    ['another encoding', () => infer('x', { 'content-encoding': 'br' }), 415, /"br"/],
    ['gzip that is none', () => infer('x', { 'content-encoding': 'gzip' }), 400, /not gzip/],
    [
      'gzip that unpacks to 50 MB',
      () => infer(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }),
      413,
      /larger than 16 MiB/,
    ],
    [
      'another model',
      () => fetch(`${url}/v2/models/nobody/infer`, { method: 'POST', body: Buffer.from('{"inputs":[]}') }),
      404,
      /"nobody" is not served here. Served: flight-delay/,
    ],
    [
      'another version',
      () => fetch(`${url}/v2/models/flight-delay/versions/9`),
      404,
      /Version 9 of flight-delay is not loaded here. Loaded: 1/,
    ],
    ['no version', () => fetch(`${url}/v2/models/flight-delay/versions/x`), 404, /"x" is not a version/],
    ['another path', () => fetch(`${url}/v2/nothing`), 404, /No endpoint matches GET/],
    [
      'another method',
      () => fetch(`${url}/v2/models/flight-delay/infer`, { method: 'PUT' }),
      404,
      /No endpoint matches PUT/,
    ],
  ])('%s', async (_, send, status, message) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(await errorOf(response)).toMatch(message);
    expect((await infer(JSON.stringify(inferBody([exampleRow])))).status).toBe(200);
  });

  test('a body of 50 MB: the caller gets the answer, and may go on with the same connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (body: Buffer | string) =>
      new Promise<{ status: number | undefined; text: string; port: number | undefined }>((resolve, reject) => {
        const request = httpRequest(
          `${url}/v2/models/flight-delay/infer`,
          { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
          (response) => {
            let text = '';
            const port = response.socket.localPort;
            response
              .on('data', (chunk) => (text += String(chunk)))
              .on('end', () => resolve({ status: response.statusCode, text, port }));
          },
        );
        request.on('error', reject);
        request.end(body);
      });
    const refused = await send(Buffer.alloc(50_000_000, 'x'));
    expect(refused.status).toBe(413);
    expect(refused.text).toMatch(/larger than 16 MiB/);
    const answered = await send(JSON.stringify(inferBody([exampleRow])));
    expect(answered.status).toBe(200);
    expect(answered.port).toBe(refused.port);
    agent.destroy();
  });
});

describe('labels', () => {
  const send = (labels: unknown, model = 'flight-delay') =>
    fetch(`${url}/v1/models/${model}/labels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(labels),
    });
  const label = { prediction_id: 'p-mwqckfsq-a9299a97-4', label: true, observed_at: '2013-04-01T12:00:00Z' };

  test('are accepted when they are stored', async () => {
    const before = gateway.status().spool.labels.bytes;
    const response = await send([label, { ...label, label: 0 }]);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ accepted: 2 });
    expect(gateway.status().spool.labels.bytes).toBeGreaterThan(before);
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', [], /body is wrong/],
    ['no array', label, /body is wrong/],
    [
      'a label that is no label',
      [label, { ...label, label: 'yes' }],
      /labels\[1\]\.label is "yes": it must be true, false, 0 or 1/,
    ],
    ['a time without a zone', [{ ...label, observed_at: '2013-04-01T12:00:00' }], /labels\[0\]\.observed_at/],
    ['a time to come', [{ ...label, observed_at: new Date(Date.now() + 3_600_000).toISOString() }], /is in the future/],
    ['a field too many', [{ ...label, extra: 1 }], /labels\[0\]/],
  ])('with %s are refused whole', async (_, labels, message) => {
    const before = gateway.status().spool.labels.bytes;
    const response = await send(labels);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatch(message);
    expect(gateway.status().spool.labels.bytes).toBe(before);
  });

  test('for a model that is not served are refused', async () => {
    expect((await send([label], 'nobody')).status).toBe(404);
  });
});

test('metrics are there for Prometheus, with the requests of each version', async () => {
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(text).toMatch(
    /perdure_gateway_requests_total\{model="flight-delay",version="1",outcome="answered",environment="production"\} \d+/,
  );
  expect(text).toMatch(/perdure_gateway_route_epoch\{model="flight-delay",environment="production"\} 4/);
  for (const name of [
    'latency_seconds_bucket',
    'batch_rows_bucket',
    'queued_requests',
    'spool_bytes',
    'model_load_seconds',
    'refused_total',
  ])
    expect(text).toContain(`perdure_gateway_${name}`);
});

test('what was served is counted in windows, refused requests left out', async () => {
  const metric = (await (await fetch(`${url}/metrics`)).text()).match(
    /requests_total\{model="flight-delay",version="1",outcome="answered".*\} (\d+)/,
  )?.[1];
  const total = () => [...world.controlPlane.windows.values()].reduce((sum, window) => sum + window.requests, 0);
  await eventually('the windows hold what the metrics counted', () => total() === Number(metric));
});
