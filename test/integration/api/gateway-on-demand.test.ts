import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wantedGateways } from '../../../adapters/wanted-gateways.js';
import { recordGateway } from '../../../db/serving/gateway-queries.js';
import { pollUntil } from '../../support/poll-until.js';
import { startApi, type TestApi } from './start-api.js';

let running: TestApi;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'perdure-on-demand-'));
  running = await startApi({ stack: { id: 'stack-1', home } });
});
afterAll(async () => {
  await running.close();
  await rm(home, { recursive: true, force: true });
});

const record = (environment: string) =>
  recordGateway(running.db, { gatewayId: 'g1', environment, url: 'http://127.0.0.1:9', bootId: 'b' });

test('the command line asks the supervisor of the stack for a gateway, waits until it is alive, and sends it away', async () => {
  const started = running.perdure('gateway', 'start', 'development', '--json');
  await pollUntil('the wish', 30_000, () => wantedGateways(home).includes('development') || undefined);
  await record('development');
  expect(await started).toMatchObject({ code: 0, stdout: expect.stringContaining('"live": true') as string });
  const stopped = await running.perdure('gateway', 'stop', 'development');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('stops') as string });
  expect(wantedGateways(home)).toEqual([]);
});

test('a gateway that always runs is not stopped, and one of no environment neither started', async () => {
  const request = { environment: 'production', actor: 'ada@example.org' };
  await expect(running.api.stopGateway(request)).rejects.toThrow('The gateway of production always runs');
  await expect(running.api.startGateway({ ...request, environment: 'qa' })).rejects.toThrow('no environment qa');
  expect(wantedGateways(home)).toEqual([]);
});
