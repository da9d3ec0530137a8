import { status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../serving/grpc/generated/grpc/health/v1/health.js';
import type { ModelInferRequest } from '../../../serving/grpc/generated/open_inference_grpc.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld } from '../../support/gateway-harness.js';
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

/** A gateway whose model gets requests one by one, and can be held so that they wait. */
async function startHeld(engine: object = {}) {
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const started = await world.start({ engine: { batchRowsMax: 1, hangMs: 60_000, ...engine } });
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
  const model = () => started.gateway.status().versions[0]?.process;
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => process.kill(model()?.processId ?? NaN, name);
  const client = new GrpcClient(started.grpcAddress);
  clients.push(client);
  await client.infer(rawRequest([exampleRow]));
  const ask = (headers: Record<string, string> = {}, parameters?: object, hangUp?: AbortSignal) =>
    fetch(`${started.url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...inferBody([exampleRow]), ...(parameters && { parameters }) }),
      ...(hangUp && { signal: hangUp }),
    });
  const metric = async (series: string) => {
    const text = await (await fetch(`${started.url}/metrics`)).text();
    return Number(new RegExp(`^perdure_gateway_${series}.*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  };
  return {
    ...started,
    client,
    ask,
    metric,
    /** Requests that the model was asked so far. */
    asked: () => metric('batch_rows_sum'),
    queued: () => model()?.queuedRequests ?? 0,
    hold: () => signal('SIGSTOP'),
    letGo: () => signal('SIGCONT'),
  };
}

describe('a request whose deadline passes while it waits is never sent to the model', () => {
  test.each<[string, number, (held: Awaited<ReturnType<typeof startHeld>>) => Promise<unknown>]>([
    [
      'by the deadline of a gRPC call',
      status.DEADLINE_EXCEEDED,
      async ({ client }) =>
        (await failureOf(client.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 100 }))).code,
    ],
    [
      'by the parameter timeout of a gRPC request',
      status.DEADLINE_EXCEEDED,
      async ({ client }) => {
        const parameters: ModelInferRequest['parameters'] = {
          timeout: { parameterChoice: { $case: 'int64Param', value: 100_000 } },
        };
        return (await failureOf(client.infer(rawRequest([exampleRow], { parameters })))).code;
      },
    ],
    ['by the header of a REST request', 504, async ({ ask }) => (await ask({ 'x-request-timeout-ms': '100' })).status],
    [
      'by the parameter timeout of a REST request',
      504,
      async ({ ask }) => (await ask({}, { timeout: 100_000 })).status,
    ],
  ])('%s', async (_, expected, askLate) => {
    const held = await startHeld();
    const before = await held.asked();
    held.hold();
    const patient = Array.from({ length: 4 }, () => held.ask());
    await eventually('requests wait', () => held.queued() === 2);
    expect(await Promise.all(Array.from({ length: 3 }, () => askLate(held)))).toEqual([expected, expected, expected]);
    held.letGo();
    expect((await Promise.all(patient)).map((response) => response.status)).toEqual([200, 200, 200, 200]);
    expect(await held.asked()).toBe(before + 4);
    // Else whoever waits for a millisecond could have any version rolled back.
    expect(await held.metric('requests_total\\{.*outcome="given-up"')).toBe(3);
    const windows = () => [...world.controlPlane.windows.values()];
    await eventually(
      'the others are counted',
      () => windows().reduce((sum, { requests }) => sum + requests, 0) === before + 4,
    );
    expect(windows().reduce((sum, { errors }) => sum + errors, 0)).toBe(0);
  });

  test('nor counted as failed by the model that was asked, when it passes while that answers', async () => {
    const held = await startHeld();
    held.hold();
    const [rest, grpc] = await Promise.all([
      held.ask({ 'x-request-timeout-ms': '150' }),
      failureOf(held.client.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 150 })),
    ]);
    held.letGo();
    expect([rest.status, grpc.code]).toEqual([504, status.DEADLINE_EXCEEDED]);
    expect((await held.ask()).status).toBe(200);
    await eventually('it is counted', () => [...world.controlPlane.windows.values()].length > 0);
    expect([...world.controlPlane.windows.values()].reduce((sum, { errors }) => sum + errors, 0)).toBe(0);
    expect(await held.metric('requests_total\\{.*outcome="failed"')).toBe(0);
  });

  test('and one that has passed on arrival is answered at once, as no fault of a version', async () => {
    const { ask, metric } = await startHeld();
    expect((await ask({ 'x-request-timeout-ms': '0' })).status).toBe(504);
    expect(await metric('requests_total\\{.*outcome="answered"')).toBe(1);
    expect(await metric('requests_total\\{.*outcome="failed"')).toBe(0);
  });

  test("while a longer one than the gateway's own is cut to that", async () => {
    const { client, ask, hold } = await startHeld({ deadlineMs: 500 });
    hold();
    expect((await ask({ 'x-request-timeout-ms': '60000' })).status).toBe(504);
    const failure = await failureOf(client.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 60_000 }));
    expect(failure.code).toBe(status.DEADLINE_EXCEEDED);
  });
});

test('a timeout that is none is refused', async () => {
  const { ask } = await startHeld();
  for (const text of ['soon', '-1', '1e3']) {
    const response = await ask({ 'x-request-timeout-ms': text });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('X-Request-Timeout-Ms')]);
  }
  for (const timeout of ['soon', -1, 0.5]) expect((await ask({}, { timeout })).status).toBe(400);
});

test('requests whose callers leave are not sent to the model, and count neither as answered nor as failed', async () => {
  const held = await startHeld();
  const before = await held.asked();
  held.hold();
  const patient = Array.from({ length: 4 }, () => held.ask());
  await eventually('requests wait', () => held.queued() === 2);
  const leaving = Array.from({ length: 3 }, () => held.client.start(rawRequest([exampleRow])));
  const hangUp = new AbortController();
  const hanging = Promise.allSettled(Array.from({ length: 3 }, () => held.ask({}, undefined, hangUp.signal)));
  await eventually('they wait too', () => held.queued() === 8);
  for (const { call } of leaving) call.cancel();
  hangUp.abort();
  const codes = await Promise.all(leaving.map(async ({ answer }) => (await failureOf(answer)).code));
  expect(codes).toEqual(leaving.map(() => status.CANCELLED));
  for (const one of await hanging) expect(one.status).toBe('rejected');
  await eventually(
    'the gateway has seen them go',
    () => new Promise<boolean>((resolve) => held.gateway.app.server.getConnections((_, count) => resolve(count <= 5))),
  );
  held.letGo();
  await Promise.all(patient);
  await eventually('nobody waits', () => held.queued() === 0);
  expect(await held.asked()).toBe(before + 4);
  expect(await held.metric('refused_total\\{status="499"')).toBe(6);
  const counted = () => [...world.controlPlane.windows.values()].reduce((total, window) => total + window.requests, 0);
  await eventually('the others are counted', () => counted() === before + 4);
});

test('a flood over both protocols fills the queue and no more: the rest is told at once to come back, and the gateway serves on', async () => {
  const held = await startHeld({ requestsMax: 20, deadlineMs: 30_000 });
  held.hold();
  let refused = 0;
  const overRest = Array.from({ length: 100 }, async () => {
    const response = await held.ask();
    if (response.status === 200) return 'answered';
    refused += 1;
    return [response.status, response.headers.get('retry-after')];
  });
  const overGrpc = Array.from({ length: 100 }, async () => {
    try {
      await held.client.infer(rawRequest([exampleRow]));
      return 'answered';
    } catch (error) {
      refused += 1;
      const { code, metadata } = error as ServiceError;
      return [code, metadata.get('grpc-retry-pushback-ms')];
    }
  });
  await eventually('all but two under way and twenty waiting are refused', () => refused === 200 - 22);
  expect(held.queued()).toBe(20);
  held.letGo();
  const [rest, grpc] = await Promise.all([Promise.all(overRest), Promise.all(overGrpc)]);
  expect([...rest, ...grpc].filter((one) => one === 'answered').length).toBe(22);
  for (const one of rest) if (one !== 'answered') expect(one).toEqual([503, '1']);
  for (const one of grpc) if (one !== 'answered') expect(one).toEqual([status.UNAVAILABLE, ['1000']]);
  expect((await held.ask()).status).toBe(200);
  await held.client.infer(rawRequest([exampleRow]));
});

test('a gateway told to stop says so to who watches its health, answers the gRPC calls that it has taken, and takes no more', async () => {
  const held = await startHeld();
  const states: HealthCheckResponse['status'][] = [];
  const watch = held.client.client.makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    (message: Buffer) => message,
    (bytes: Buffer) => HealthCheckResponse.decode(bytes),
    Buffer.from(HealthCheckRequest.encode({ service: '' }).finish()),
  );
  watch.on('data', ({ status: state }: HealthCheckResponse) => states.push(state));
  await eventually('it serves', () => states.length === 1);
  held.hold();
  const taken = Array.from({ length: 4 }, () => held.client.infer(rawRequest([exampleRow])));
  await eventually('requests wait', () => held.queued() === 2);
  const stopped = held.gateway.stop();
  await eventually('the watcher knows', () => states.length === 2);
  expect(states).toEqual([ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
  const late = new GrpcClient(held.grpcAddress);
  clients.push(late);
  const failure = await failureOf(late.infer(rawRequest([exampleRow]), {}, { deadline: Date.now() + 5_000 }));
  expect(failure.code).toBe(status.UNAVAILABLE);
  held.letGo();
  expect((await Promise.all(taken)).map(({ response }) => response.modelVersion)).toEqual(['1', '1', '1', '1']);
  await stopped;
});
