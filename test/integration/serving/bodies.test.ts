import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ModelInferRequest } from '../../../serving/grpc/generated/open_inference_grpc.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld } from '../../support/gateway-harness.js';
import { GrpcClient, rawRequest } from './grpc-client.js';

/**
 * What callers send may fill the gateway's memory only so far, whichever protocol it comes by, and only for so long.
 */

const mib = 1024 * 1024;
let world: TestWorld;
const sockets: Socket[] = [];
const sessions: ClientHttp2Session[] = [];
const clients: GrpcClient[] = [];
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const session of sessions.splice(0)) session.destroy();
  for (const client of clients.splice(0)) client.close();
  await world.close();
});

async function start(limits: { bodyTimeoutMs?: number } = {}) {
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const started = await world.start({ bodyBytesMax: mib, bodiesBytesMax: 4 * mib, ...limits });
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
  const client = new GrpcClient(started.grpcAddress, { 'grpc.default_compression_algorithm': 2 });
  clients.push(client);
  const { port } = new URL(started.url);
  const session = connectHttp2(`http://${started.grpcAddress}`);
  session.on('error', () => undefined);
  sessions.push(session);
  return {
    ...started,
    client,
    heldBytes: async () => {
      const text = await (await fetch(`${started.url}/metrics`)).text();
      return Number(/^perdure_gateway_body_bytes\{.*\} (\d+)$/m.exec(text)?.[1]);
    },
    ask: (body: Buffer | string = JSON.stringify(inferBody([exampleRow])), headers: Record<string, string> = {}) =>
      fetch(`${started.url}/v2/models/flight-delay/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      }),
    /** Sends the beginning of a body by REST. @returns what the gateway says, growing. */
    beginRest(bytes: number, announced: string): { said: string; ended: boolean } {
      const heard = { said: '', ended: false };
      const socket = connect(Number(port), '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => (heard.ended = true));
      socket.on('data', (chunk) => (heard.said += chunk.toString()));
      socket.write(`POST /v2/models/flight-delay/infer HTTP/1.1\r\nhost: localhost\r\n${announced}\r\n\r\n`);
      if (bytes > 0)
        socket.write(
          announced.startsWith('transfer') ? `${mib.toString(16)}\r\n${' '.repeat(bytes)}` : ' '.repeat(bytes),
        );
      return heard;
    },
    /** The same by gRPC. */
    beginGrpc(bytes: number): { code: string | undefined } {
      const heard: { code: string | undefined } = { code: undefined };
      const stream = session.request({
        ':method': 'POST',
        ':path': '/inference.GRPCInferenceService/ModelInfer',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      const hear = (headers: Record<string, unknown>) => (heard.code ??= headers['grpc-status'] as string | undefined);
      stream.on('response', hear);
      stream.on('trailers', hear);
      stream.resume();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(mib - 10, 1);
      stream.write(Buffer.concat([head, Buffer.alloc(bytes)]));
      return heard;
    },
  };
}

const length = `content-length: ${mib}`;

type Started = Awaited<ReturnType<typeof start>>;
const unavailable = String(status.UNAVAILABLE);

test.each([
  ['REST', (gateway: Started) => Array.from({ length: 8 }, () => gateway.beginRest(900_000, length))],
  [
    'REST, by chunks',
    (gateway: Started) => Array.from({ length: 8 }, () => gateway.beginRest(900_000, 'transfer-encoding: chunked')),
  ],
  ['gRPC', (gateway: Started) => Array.from({ length: 8 }, () => gateway.beginGrpc(900_000))],
])(
  'bodies that arrive by %s fill the process to its bound and no further, and what has left leaves room',
  async (_, begin) => {
    const gateway = await start();
    const heard = begin(gateway);
    await eventually('those beyond the bound are told to come back', () =>
      heard.some((one) =>
        'code' in one ? one.code === unavailable : /^HTTP\/1.1 503.*retry-after: 1/s.test(one.said),
      ),
    );
    expect(await gateway.heldBytes()).toBeLessThanOrEqual(4 * mib);
    expect(await gateway.heldBytes()).toBeGreaterThan(2 * mib);
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const session of sessions.splice(0)) session.destroy();
    await eventually('all is given back', async () => (await gateway.heldBytes()) === 0);
    expect((await gateway.ask()).status).toBe(200);
    await gateway.client.infer(rawRequest([exampleRow]));
    await eventually('that too', async () => (await gateway.heldBytes()) === 0);
  },
);

test('a caller who announces much and sends nothing takes no room', async () => {
  const gateway = await start();
  for (let index = 0; index < 20; index += 1) gateway.beginRest(0, length);
  expect((await gateway.ask()).status).toBe(200);
  expect(await gateway.heldBytes()).toBe(0);
});

test('what unpacks to more than the limit is refused, by either protocol, and leaves nothing behind', async () => {
  const gateway = await start();
  const bomb = gzipSync(Buffer.alloc(64 * mib, ' '));
  expect((await gateway.ask(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
  expect((await gateway.ask(gzipSync(bomb), { 'content-encoding': 'gzip, gzip' })).status).toBe(413);
  const large = ModelInferRequest.encode(rawRequest([exampleRow], { id: ' '.repeat(8 * mib) })).finish();
  await expect(gateway.client.send(Buffer.from(large)).answer).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  });
  await eventually('nothing is held', async () => (await gateway.heldBytes()) === 0);
});

test('packed bodies at once are all answered: what they may unpack to is held only until it is known', async () => {
  const gateway = await start();
  const packed = gzipSync(JSON.stringify(inferBody([exampleRow])));
  const rest = Array.from({ length: 40 }, () => gateway.ask(packed, { 'content-encoding': 'gzip' }));
  expect((await Promise.all(rest)).map((response) => response.status)).toEqual(rest.map(() => 200));
  await eventually('nothing is held', async () => (await gateway.heldBytes()) === 0);
});

test('who sends too slowly is ended, by either protocol', async () => {
  const gateway = await start({ bodyTimeoutMs: 500 });
  const rest = gateway.beginRest(10, length);
  const grpc = gateway.beginGrpc(10);
  await eventually('the REST request is ended', () => rest.ended);
  expect(rest.said).toMatch(/^(HTTP\/1.1 408|$)/);
  await eventually('the call is ended', () => grpc.code === String(status.DEADLINE_EXCEEDED));
  await eventually('nothing is held', async () => (await gateway.heldBytes()) === 0);
});
