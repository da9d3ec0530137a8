import { request } from 'node:http';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld } from '../../support/gateway-harness.js';
import { failureOf, GrpcClient, rawRequest, typedRequest } from './grpc-client.js';

/**
 * Text of any script means the same by both protocols; what is no text is refused with its place, and reaches no log.
 */

let world: TestWorld;
let client: GrpcClient;
let url: string;
beforeEach(async () => {
  world = await createTestWorld();
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
  const headers = [{ name: 'x-team', value: 'Größe' }];
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }], {
    overrides: [{ version: 2, keys: ['клиент-7', 'Jürgen', '🍕'], headers }],
  });
  const started = await world.start();
  url = started.url;
  client = new GrpcClient(started.grpcAddress);
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
});
afterEach(async () => {
  client.close();
  await world.close();
});

/** Asks with headers as bytes, which `fetch` does not let us send. @returns status, and the version or the error. */
function ask(
  headers: Record<string, string | Buffer>,
  body = JSON.stringify(inferBody([exampleRow])),
): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const bytes = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Buffer.from(value as string).toString('latin1')]),
    );
    const asked = request(
      `${url}/v2/models/flight-delay/infer`,
      { method: 'POST', headers: { 'content-type': 'application/json', ...bytes } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const answer = JSON.parse(text) as { model_version?: string; error?: string };
          resolve([response.statusCode ?? 0, answer.model_version ?? answer.error ?? '']);
        });
      },
    );
    asked.on('error', reject);
    asked.end(Buffer.from(body)); // With a string Node would write the headers in its encoding.
  });
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

test.each(['клиент-7', 'Jürgen', '🍕'])(
  "the tester's key %j gets its version by REST, by gRPC and by a compressed request alike",
  async (key) => {
    expect(await ask({ 'x-perdure-key': key })).toEqual([200, '2']);
    expect(await ask({ 'x-perdure-key': key, 'content-encoding': 'identity' })).toEqual([200, '2']);
    const { response } = await client.infer(rawRequest([exampleRow]), { 'x-perdure-key-bin': base64(key) });
    expect(response.modelVersion).toBe('2');
    expect(await ask({ 'x-perdure-key': `${key}x` })).toEqual([200, '1']);
  },
);

test('a header of a tester is read the same way', async () => {
  expect(await ask({ 'x-team': 'Größe' })).toEqual([200, '2']);
  expect((await client.infer(rawRequest([exampleRow]), { 'x-team-bin': base64('Größe') })).response.modelVersion).toBe(
    '2',
  );
});

test.each<[string, Record<string, string | Buffer>, string, RegExp]>([
  ['half a surrogate pair in the id', {}, '{"id":"a\\ud83d"', /field id holds half a surrogate pair at position 2/],
  ['NUL in the id', {}, '{"id":"a\\u0000"', /field id holds the character NUL/],
  [
    'half a surrogate pair in a feature',
    {},
    '{"carrier":"\\udc00"',
    /Feature carrier, row 0: the string holds half a surrogate pair/,
  ],
  [
    'NUL in a feature',
    {},
    '{"carrier":"U\\u0000"',
    /Feature carrier, row 0: the string holds the character NUL .* at position 2/,
  ],
  [
    'a key that is not UTF-8',
    { 'x-perdure-key': Buffer.from('Jürgen', 'latin1') },
    '{',
    /header x-perdure-key is not UTF-8/,
  ],
  [
    'a key that is too long',
    { 'x-perdure-key': 'Ж'.repeat(1025) },
    '{',
    /X-Perdure-Key is longer than 1,024 characters/,
  ],
])('%s is refused with its place', async (_, headers, beginning, message) => {
  const { inputs } = inferBody([exampleRow]);
  let body = JSON.stringify({ inputs });
  const feature = /^\{"carrier":(".*")$/.exec(beginning)?.[1];
  if (feature !== undefined) body = body.replace('"data":["UA"]', `"data":[${feature}]`);
  else if (beginning !== '{') body = `${beginning},${body.slice(1)}`;
  const [code, said] = await ask(headers, body);
  expect([code, said]).toEqual([400, expect.stringMatching(message)]);
});

test('labels and passports are not told to a page under a name that was made to point here, nor taken from one of another site', async () => {
  const say = (path: string, headers: Record<string, string>, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const asked = request(`${url}${path}`, { method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', reject).end();
    });
  expect(await say('/v1/status', { host: 'evil.example' })).toBe(421);
  expect(await say('/v1/predictions/p-mwqckfsq-a9299a97-4', { host: 'evil.example' })).toBe(421);
  expect(await say('/v1/models/flight-delay/labels', { origin: 'http://evil.example' }, 'POST')).toBe(403);
  expect(await say('/v1/status', {})).toBe(200);
  expect(await say('/v2/health/ready', { host: 'gateway.somewhere.example' })).toBe(200);
});

test('NUL in a feature is refused by gRPC as well, raw or typed', async () => {
  for (const make of [rawRequest, typedRequest]) {
    const failure = await failureOf(client.infer(make([{ ...exampleRow, carrier: 'U\0' }])));
    expect([failure.code, failure.details]).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringContaining('Feature carrier, row 0: the string holds the character NUL'),
    ]);
  }
});
