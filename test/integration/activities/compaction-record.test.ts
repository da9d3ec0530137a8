import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createCompactionActivities, type DayToCompact } from '../../../activities/serving/compaction.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { compactionCheck } from '../../../oversight/compaction-check.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { openTestBucket } from '../data/test-bucket.js';

let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let home: string;
let activities: ReturnType<typeof createCompactionActivities>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-compaction-record-'));
  activities = createCompactionActivities({ db, store, config: { home } } as unknown as ActivityDependencies);
});
afterAll(async () => {
  store.close();
  await db.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const hourMs = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * hourMs);
const environment = 'production' as const;
const model = 'logged';
/** Over for long enough to be compacted, and recent enough to be looked at in each pass. */
const day = new Date(Date.now() - 48 * hourMs).toISOString().slice(0, 10);

const find = () =>
  new MockActivityEnvironment().run<[], { days: DayToCompact[] }, typeof activities.findDaysToCompact>(
    activities.findDaysToCompact,
  );
const compact = (one: DayToCompact) =>
  new MockActivityEnvironment().run<[DayToCompact], unknown, typeof activities.compactDay>(activities.compactDay, one);

async function ship(at: string): Promise<void> {
  const line = {
    ...{ prediction_id: `p-${at}`, request_id: null, row: 0, at, environment, model, version: 1, epoch: 5 },
    ...{ role: 'split', key_hash: null, features: { temp: 40 }, probability: 0.25, label: false, latency_ms: 2 },
  };
  const segment = `${at.replaceAll(/[-:]|\.\d+/g, '')}-0badcafe-000001`;
  const [source, parquet] = [path.join(home, `${segment}.ndjson`), path.join(home, `${segment}.parquet`)];
  await writeFile(source, `${JSON.stringify(line)}\n`);
  await segmentToParquet('predictions', source, parquet, home);
  await store.put(objectKeys.predictions(environment, model, day, segment), { file: parquet });
}

it('the doctor says when compaction ended well last and what it merged, and names what waits for too long', async () => {
  expect(await compactionCheck(db, false)).toMatchObject({ outcome: 'problem', remedy: expect.any(String) as string });
  expect(await compactionCheck(db, true)).toMatchObject({
    ...{ outcome: 'ok', finding: 'it runs, and has not looked through the logs yet' },
  });

  await ship(`${day}T06:00:00.000Z`);
  await ship(`${day}T06:01:00.000Z`);
  const { days } = await find();
  expect(days).toEqual([{ environment, model, day }]);
  const waiting = `1 day(s) wait, longest production of logged, ${day}, since`;
  expect(await compactionCheck(db, true)).toMatchObject({
    ...{ outcome: 'ok', finding: expect.stringContaining(waiting) as string },
  });
  expect(await compactionCheck(db, true, inHours(4))).toMatchObject({
    ...{ outcome: 'problem', finding: expect.stringMatching(/^it ended well last at \d{4}-/) as string },
  });

  // Passes go on, and find the same day again and again.
  await db.sql`update compaction_days set found_at = now() - interval '7 hours'`;
  await find();
  expect(await compactionCheck(db, true)).toMatchObject({
    ...{ outcome: 'problem', finding: expect.stringContaining(waiting) as string },
  });

  for (const one of days) await compact(one);
  await find();
  expect(await compactionCheck(db, true)).toMatchObject({
    ...{ outcome: 'ok', finding: expect.stringMatching(/; 2 objects merged at .+; no day waits$/) as string },
  });
});
