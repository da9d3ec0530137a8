import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HealthCheckRequest, HealthCheckResponse } from '../../../serving/grpc/generated/grpc/health/v1/health.js';
import { createTestWorld, eventually, exampleRow, inferBody, type TestWorld } from './gateway-harness.js';
import { failureOf, GrpcClient, rawRequest } from './grpc-client.js';

/** Deadlines, full queues, callers that leave and a gateway that stops, over both protocols. */

let world: TestWorld;
const clients: GrpcClient[] = [];
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await world.close();
});

/** A gateway whose model takes some tenths of a second a request and gets them one by one. */
async function startSlow(engine: object = {}) {
  await world.addVersion(1, -1, { work: 200 });
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const started = await world.start({ engine: { batchRowsMax: 1, ...engine } });
  const client = new GrpcClient(started.grpcAddress);
  clients.push(client);
  // Connected before anything is measured.
  await client.infer(rawRequest([exampleRow]));
  const ask = (headers: Record<string, string> = {}, parameters?: object, signal?: AbortSignal) =>
    fetch(`${started.url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...inferBody([exampleRow]), ...(parameters && { parameters }) }),
      ...(signal && { signal }),
    });
  const metric = async (series: string) =>
    Number(new RegExp(`^perdure_gateway_${series}.*\\} (\\d+)$`, 'm').exec(await (await fetch(`${started.url}/metrics`)).text())?.[1] ?? 0);
  return { ...started, client, ask, metric, asked: () => metric('batch_rows_sum') };
}

/** Requests that keep the model busy: what is asked behind them has to wait. */
const busyWith = 6;
const queued = (gateway: { status: () => { versions: { process: { queuedRequests: number } | null }[] } }) =>
  gateway.status().versions[0]?.process?.queuedRequests ?? 0;

describe('a request whose deadline passes while it waits is never sent to the model', () => {
  test.each<[string, number, (slow: Awaited<ReturnType<typeof startSlow>>) => Promise<unknown>]>([
    [
      'by the deadline of a gRPC call',
      status.DEADLINE_EXCEEDED,
      async ({ client }) => (await failureOf(client.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 100 }))).code,
    ],
    [
      'by the parameter timeout of a gRPC request',
      status.DEADLINE_EXCEEDED,
      async ({ client }) =>
        (
          await failureOf(
            client.infer(
              rawRequest([exampleRow], { parameters: { timeout: { parameterChoice: { $case: 'int64Param', value: 100_000 } } } }),
            ),
          )
        ).code,
    ],
    ['by the header of a REST request', 504, async ({ ask }) => (await ask({ 'x-request-timeout-ms': '100' })).status],
    ['by the parameter timeout of a REST request', 504, async ({ ask }) => (await ask({}, { timeout: 100_000 })).status],
  ])('%s', async (_, expected, askLate) => {
    const slow = await startSlow();
    const before = await slow.asked();
    const busy = Array.from({ length: busyWith }, () => slow.ask());
    await eventually('requests wait', () => queued(slow.gateway) > 0);
    const late = Array.from({ length: 3 }, () => askLate(slow));
    expect(await Promise.all(late)).toEqual([expected, expected, expected]);
    expect((await Promise.all(busy)).map((response) => response.status)).toEqual(busy.map(() => 200));
    expect(await slow.asked()).toBe(before + busyWith);
  });

  test("and one that has passed on arrival is answered at once, as no version's fault", async () => {
    const { ask, metric } = await startSlow();
    expect((await ask({ 'x-request-timeout-ms': '0' })).status).toBe(504);
    expect(await metric('requests_total\\{.*outcome="failed"')).toBe(0);
    expect([...world.controlPlane.windows.values()].reduce((total, window) => total + window.errors, 0)).toBe(0);
  });

  test("while a longer one than the gateway's own is cut to that", async () => {
    const { ask, client } = await startSlow({ deadlineMs: 400 });
    const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await ask({ 'x-request-timeout-ms': '60000' })).status));
    expect(statuses).toContain(504);
    const codes = await Promise.all(
      Array.from({ length: 30 }, () =>
        client.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 60_000 }).then(
          () => status.OK,
          (error: { code: status }) => error.code,
        ),
      ),
    );
    expect(codes).toContain(status.DEADLINE_EXCEEDED);
  });

  test.each(['soon', '-1', '1e3'])('the timeout %s is refused', async (text) => {
    const { ask } = await startSlow();
    const response = await ask({ 'x-request-timeout-ms': text });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('X-Request-Timeout-Ms');
  });
});

test('requests whose callers leave are not sent to the model, and count neither as answered nor as failed', async () => {
  const slow = await startSlow();
  const before = await slow.asked();
  const busy = Array.from({ length: busyWith }, () => slow.ask());
  await eventually('requests wait', () => queued(slow.gateway) > 0);
  const leaving = Array.from({ length: 3 }, () => slow.client.start(rawRequest([exampleRow])));
  const hangUp = new AbortController();
  const hanging = Array.from({ length: 3 }, () => slow.ask({}, undefined, hangUp.signal));
  await eventually('they wait too', () => queued(slow.gateway) >= 6);
  for (const { call } of leaving) call.cancel();
  hangUp.abort();
  expect(await Promise.all(leaving.map(async ({ answer }) => (await failureOf(answer)).code))).toEqual([1, 1, 1]);
  expect((await Promise.allSettled(hanging)).map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
  await Promise.all(busy);
  await eventually('nobody waits', () => queued(slow.gateway) === 0);
  expect(await slow.asked()).toBe(before + busyWith);
  expect(await slow.metric('refused_total\\{status="499"')).toBe(6);
  const counted = () => [...world.controlPlane.windows.values()].reduce((total, window) => total + window.requests, 0);
  await eventually('the others are counted', () => counted() === before + busyWith);
});

test('a flood over both protocols fills the queue and no more: the rest is told at once to come back, and the gateway serves on', async () => {
  const slow = await startSlow({ requestsMax: 20, deadlineMs: 30_000 });
  let most = 0;
  const look = setInterval(() => (most = Math.max(most, queued(slow.gateway))), 1);
  const byRest = Promise.all(Array.from({ length: 100 }, () => slow.ask()));
  const byGrpc = Promise.all(
    Array.from({ length: 100 }, () =>
      slow.client.infer(rawRequest([exampleRow])).then(
        () => undefined,
        (error: { code: status; metadata: Metadata }) => error,
      ),
    ),
  );
  const [responses, failures] = await Promise.all([byRest, byGrpc]);
  clearInterval(look);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(20);
  const refused = responses.filter((response) => response.status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const response of refused) expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  const unavailable = failures.filter((failure) => failure !== undefined);
  expect(unavailable.length).toBeGreaterThan(0);
  for (const { code, metadata } of unavailable)
    expect([code, metadata.get('grpc-retry-pushback-ms')]).toEqual([status.UNAVAILABLE, ['1000']]);
  expect((await slow.ask()).status).toBe(200);
  await slow.client.infer(rawRequest([exampleRow]));
});

test('a gateway told to stop says so to who watches its health, answers the gRPC calls that it has taken, and takes no more', async () => {
  const slow = await startSlow();
  const states: number[] = [];
  const watch = slow.client.client.makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    (message: Buffer) => message,
    (bytes: Buffer) => HealthCheckResponse.decode(bytes),
    Buffer.from(HealthCheckRequest.encode({ service: '' }).finish()),
  );
  watch.on('data', ({ status: state }: HealthCheckResponse) => states.push(state));
  const ended = new Promise((resolve) => watch.once('end', resolve));
  await eventually('it serves', () => states.length === 1);
  const taken = Array.from({ length: 4 }, () => slow.client.infer(rawRequest([exampleRow])));
  await eventually('requests wait', () => queued(slow.gateway) > 1);
  await slow.gateway.stop();
  expect((await Promise.all(taken)).map(({ response }) => response.modelVersion)).toEqual(['1', '1', '1', '1']);
  await ended;
  expect(states).toEqual([1, 2]);
  const late = new GrpcClient(slow.grpcAddress);
  clients.push(late);
  expect((await failureOf(late.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 5_000 }))).code).toBe(status.UNAVAILABLE);
});
