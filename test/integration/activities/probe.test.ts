import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProbeActivities } from '../../../activities/serving/probes.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { recordGateway } from '../../../db/serving/gateway-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { openedRun } from '../db/registered-run.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let db: Database;
let server: Server;
let answer: { status: number; body: string };
let model: string;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  model = `m-${randomUUID().slice(0, 8)}`;
  await registerVersion(db, await openedRun(db, model, randomUUID(), null));
});
afterAll(async () => {
  server.close();
  await db.close();
  await database.drop();
});

const config = { home: '/nowhere', environments: loadPerdureConfig({}).environments };

/** A probe that was first asked for so long ago. */
async function probe(triedMs: number) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await recordGateway(db, { gatewayId: 'g1', environment: 'production', url, bootId: 'b' });
  const environment = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - triedMs });
  const { probe: ask } = createProbeActivities({ db, config });
  const asked = { environment: 'production' as const, model, version: 1 };
  return (await environment.run(ask, asked)) as Awaited<ReturnType<typeof ask>>;
}

test.each([
  ['refused as wrong', 400, 20_000],
  ['failed', 503, 4 * 60_000],
])(
  'a probe that is %s again and again ends with what the gateway said, and not before a bound',
  async (_, status, longMs) => {
    answer = { status, body: '{"error":"Feature dest, row 0: the string has 5 characters. Send at most 2."}' };
    await expect(probe(0)).rejects.toMatchObject({ code: 'server/unreachable' });
    expect(await probe(longMs)).toMatchObject({
      probes: [],
      refused: expect.stringMatching(new RegExp(`gateway g1 answered ${status} .*Send at most 2`)),
    });
  },
);

test('a probe that is answered says so, and a version that is not loaded yet is waited for longer than a mistake', async () => {
  answer = { status: 404, body: '{"error":"Version 1 is not loaded here."}' };
  await expect(probe(20_000)).rejects.toMatchObject({ code: 'server/unreachable' });
  answer = { status: 200, body: '{"model_version":"1"}' };
  const { probes, refused } = await probe(0);
  expect([probes.map(({ gateway, version }) => [gateway, version]), refused]).toEqual([[['g1', 1]], undefined]);
});
