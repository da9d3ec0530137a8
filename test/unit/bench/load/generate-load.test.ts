import { createServer, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { generateLoad } from '../../../../bench/load/generate-load.js';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

const request = (path: string) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
const send = (response: Parameters<RequestListener>[1], status: number, body: string) =>
  response.writeHead(status, { 'content-length': body.length }).end(body);

test('every request is counted once, answers in several pieces included', async () => {
  let seen = 0;
  const port = await listen((_, response) => {
    seen += 1;
    response.writeHead(200, { 'content-length': 6 });
    response.write('abc');
    setImmediate(() => response.end('def'));
  });
  const result = await generateLoad({
    port,
    requests: [request('/')],
    connections: 3,
    durationMs: 5_000,
    requestsMax: 50,
  });
  expect(result).toMatchObject({ answered: 50, failed: 0 });
  expect(seen).toBe(50);
  expect(result.p50Ms).toBeGreaterThan(0);
});

test('another status and a broken connection are failures, and the load goes on', async () => {
  let seen = 0;
  const port = await listen((_, response) => {
    seen += 1;
    if (seen % 10 === 1) send(response, 503, 'no');
    else if (seen % 10 === 2) response.destroy();
    else send(response, 200, 'yes');
  });
  const result = await generateLoad({
    port,
    requests: [request('/')],
    connections: 2,
    durationMs: 5_000,
    requestsMax: 100,
  });
  expect(result).toMatchObject({ answered: 80, failed: 20 });
});

test('at a given rate a request is timed from when it was due: a server that stalls pays for those it kept waiting', async () => {
  let seen = 0;
  const port = await listen((_, response) => {
    seen += 1;
    if (seen === 1) setTimeout(() => send(response, 200, 'late'), 300);
    else send(response, 200, 'yes');
  });
  const result = await generateLoad({
    port,
    requests: [request('/')],
    connections: 1,
    durationMs: 600,
    perSecond: 100,
  });
  // Of the 60 requests due in 600 ms the first 30 waited for the first answer.
  expect(result.p50Ms).toBeGreaterThan(5);
  expect(result.maxMs).toBeGreaterThanOrEqual(300);
});
