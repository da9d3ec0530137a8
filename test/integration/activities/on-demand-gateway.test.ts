import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAcknowledgementActivities } from '../../../activities/serving/acknowledgements.js';
import { wantedGateways } from '../../../adapters/wanted-gateways.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { acknowledgeRoute, recordGateway } from '../../../db/serving/gateway-queries.js';
import { storeId } from '../../../db/serving/route-queries.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { pollUntil } from '../../support/poll-until.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let db: Database;
let home: string;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  home = await mkdtemp(path.join(tmpdir(), 'perdure-on-demand-'));
});
afterAll(async () => {
  await db.close();
  await Promise.all([database.drop(), rm(home, { recursive: true, force: true })]);
});

const wait = async (environment: string, waitAtMostSeconds: number) => {
  const config = { home, environments: loadPerdureConfig({}).environments };
  const { waitForAcknowledgement: waitFor } = createAcknowledgementActivities({ db, config });
  const asked = { environment, model: 'a', epoch: 1, waitAtMostSeconds };
  return (await new MockActivityEnvironment().run(waitFor, asked)) as Awaited<ReturnType<typeof waitFor>>;
};

test('a route in an environment whose gateway starts on demand asks for it, and its time begins when it is there', async () => {
  expect(await wait('staging', 0)).toMatchObject({ all: false, missing: 'no gateway is alive' });
  expect(wantedGateways(home)).toEqual([]);

  const waiting = wait('development', 0);
  await pollUntil('the wish', 20_000, () => wantedGateways(home).includes('development') || undefined);
  const gateway = { gatewayId: 'g1', environment: 'development' };
  await recordGateway(db, { ...gateway, url: 'http://127.0.0.1:9', bootId: 'b' });
  expect(await waiting).toMatchObject({ all: false, missing: 'g1 (at epoch 0)' });

  await acknowledgeRoute(db, { ...gateway, model: 'a', storeId: await storeId(db), epoch: 1 });
  expect(await wait('development', 0)).toMatchObject({ all: true, gateways: 'g1' });
});
