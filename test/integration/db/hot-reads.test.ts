import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { versionOf } from '../../../db/model/version-queries.js';
import { orphanedShares } from '../../../db/reconciliation-queries.js';
import { recentTraffic } from '../../../db/rollout/recent-traffic.js';
import { runningRollout } from '../../../db/rollout/rollout-queries.js';
import { liveGateways, recordGateway } from '../../../db/serving/gateway-queries.js';
import { passportFacts } from '../../../db/serving/passport-queries.js';
import { currentRoutesOf, epochsOfStages, routeOf } from '../../../db/serving/route-queries.js';
import { routeChanges, routeRevision } from '../../../db/serving/route-state.js';
import { servedLast, servedRecently, servedUnder } from '../../../db/serving/serving-windows.js';
import { changeFacts, createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const environment = 'production' as const;
const model = 'm';
/** Tables that grow with what happens; the others are as large as the installation. */
const growing = [
  ...['gateway_events', 'promotions', 'rollout_looks', 'rollouts', 'routes'],
  ...['serving_rollups', 'serving_totals', 'versions'],
];

let database: TestDatabase;
let db: Database;
let watcher: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 1 });
  watcher = connectDatabase(database.url, { max: 1 });
  await changeFacts(database.ownerUrl, async (sql) => {
    await sql`insert into current_routes select ${environment}, 'other-' || n, 1, 1 from generate_series(1, 40) n`;
    await sql`insert into current_routes values (${environment}, ${model}, 1, 1)`;
    await sql`insert into route_revisions values (${environment}, 1)`;
  });
  await recordGateway(db, { gatewayId: 'g', environment, url: 'http://127.0.0.1:1', bootId: 'b' });
});
afterAll(async () => {
  await Promise.all([db.close(), watcher.close()]);
  await database.drop();
});

/** Rollouts 1 to `until` of the model and of others: each with its version, its promotion, five routes and thirty looks, one a day. */
async function liveThrough(from: number, until: number): Promise<void> {
  await changeFacts(database.ownerUrl, async (sql) => {
    await sql`set session_replication_role = replica`;
    const days = sql`generate_series(${from}::int, ${until}::int) n, unnest(array[${model}, 'other-1', 'other-2']) model`;
    const at = sql`now() - make_interval(days => ${until} - n)`;
    await sql`
      insert into versions (model, version, run_id, definition_sha256, snapshot_sha256, artifact_sha256, artifact_key, signature, metrics, gates, evaluation_key, lineage)
      select model, n, model || n, 'd', 's' || n, 'a', 'k', '{}', '{}', '[]', 'e', '{}' from ${days}`;
    await sql`
      insert into rollouts (id, workflow_id, environment, model, challenger, champion, state, step, started_at, finished_at)
      select model || n, 'w', ${environment}, model, n, n - 1, 'completed', 4, ${at}, ${at} from ${days}`;
    await sql`
      insert into rollout_looks (rollout_id, look, step, at, inputs, inputs_sha256, result)
      select model || n, look, 0, ${at}, '{}', 's', '{}' from ${days}, generate_series(1, 30) look`;
    await sql`
      insert into promotions (id, workflow_id, model, version, environment, requested_by, state, requested_at)
      select model || n, 'w' || n, model, n, ${environment}, 'rita', 'promoted', ${at} from ${days}`;
    await sql`
      insert into routes (environment, model, epoch, idempotency_key, split, reason, kind, rollout_id, lease_token, at)
      select ${environment}, model, 5 * n + stage, model || n || '/step-' || stage,
        jsonb_build_array(jsonb_build_object('version', n, 'sharePct', 100)), 'r', 'stage', model || n, 1, ${at}
      from ${days}, generate_series(0, 4) stage`;
    await sql`
      insert into gateway_events (id, gateway_id, environment, model, kind, message, at)
      select model || n || '-' || event, 'g', ${environment}, model, 'refused', 'why', ${at} from ${days}, generate_series(1, 20) event`;
    const counts = sql`now(), now(), 1, 0, array[1, 2]::bigint[], array[1]::bigint[]`;
    await sql`
      insert into serving_totals (environment, model, version, epoch, role, cold, "from", "to", requests, errors, latency, scores)
      select ${environment}, model, n, 5 * n + stage, 'split', false, ${counts} from ${days}, generate_series(0, 4) stage`;
    await sql`
      insert into serving_rollups (environment, model, version, epoch, role, cold, grain, bucket, "from", "to", requests, errors, latency, scores)
      select ${environment}, model, n, 5 * n, 'split', false, 'day', date_trunc('hour', ${at}) - make_interval(hours => hour), ${counts}
      from ${days}, generate_series(0, 20) hour`;
    await sql`update current_routes set epoch = ${5 * until} where model in (${model}, 'other-1', 'other-2')`;
    await sql`analyze`;
  });
}

/** What the newest of it is asked again and again. */
const hotReads = (newest: number): Record<string, () => Promise<unknown>> => {
  const subject = {
    environment,
    model,
    version: newest,
    role: 'split' as const,
    epochFrom: 5 * newest,
    epochTo: 5 * newest,
  };
  return {
    'a poll without a change': () => routeRevision(db, environment),
    'a poll of what changed': () => routeChanges(db, environment, 1),
    'all routes in force': () => currentRoutesOf(db, environment),
    'the route in force': () => routeOf(db, environment, model),
    'the route of long ago': () => routeOf(db, environment, model, new Date(Date.now() - 50 * 86_400_000)),
    'the live gateways': () => liveGateways(db, environment, model),
    'what a stage served': () => servedUnder(db, subject),
    'the last hour of a champion': () => servedLast(db, subject, 3600),
    'the last quarter of an hour': () => servedRecently(db, { environment, model, minutes: 15 }),
    'what a plan asks of the traffic': () =>
      recentTraffic(db, { environment, model, champion: newest, metrics: [] }).catch(() => undefined),
    'a version': () => versionOf(db, model, newest),
    'a version that is not there': () => versionOf(db, model, 1_000_000).catch(() => undefined),
    'the epochs of a rollout': () => epochsOfStages(db, `${model}${newest}`, 5),
    'the rollout that runs': () => runningRollout(db, environment, model),
    'shares that nobody watches': () => orphanedShares(db),
    'the facts of a passport': () =>
      passportFacts(db, { environment, model, version: newest - 49, epoch: 5 * newest - 245, at: new Date() }),
  };
};

interface Reading {
  seqRows: number;
  indexRows: number;
}

/** Rows of growing tables that a read touches. */
async function rowsReadBy(read: () => Promise<unknown>): Promise<Reading> {
  const counted = async (): Promise<Reading> => {
    await db.sql`select pg_stat_force_next_flush()`;
    await db.sql`select 1`;
    await watcher.sql`select pg_stat_clear_snapshot()`;
    const [row] = await watcher.sql<{ seq: number; idx: number }[]>`
      select sum(seq_tup_read)::int as seq, sum(coalesce(idx_tup_fetch, 0))::int as idx
      from pg_stat_user_tables where relname = any(${growing})`;
    return { seqRows: row?.seq ?? 0, indexRows: row?.idx ?? 0 };
  };
  const before = await counted();
  await read();
  const after = await counted();
  return { seqRows: after.seqRows - before.seqRows, indexRows: after.indexRows - before.indexRows };
}

it('hot reads go by index, and read no more rows when the installation is ten times older', async () => {
  const read = async (newest: number) => {
    const found: Record<string, Reading> = {};
    for (const [name, work] of Object.entries(hotReads(newest))) {
      await work();
      found[name] = await rowsReadBy(work);
    }
    return found;
  };
  await liveThrough(1, 100);
  const young = await read(100);
  await liveThrough(101, 1000);
  const old = await read(1000);
  for (const [name, { seqRows, indexRows }] of Object.entries(old)) {
    expect(seqRows, `${name}: rows read without an index`).toBe(0);
    const before = (young[name]?.seqRows ?? 0) + (young[name]?.indexRows ?? 0);
    expect(indexRows, `${name}: rows read, ${before} when it was young`).toBeLessThanOrEqual(before + 20);
  }
  // What is measured is measured at all.
  expect((await rowsReadBy(() => db.sql`select count(*) from routes where reason = 'r'`)).seqRows).toBeGreaterThan(
    10_000,
  );
  expect(old['all routes in force']?.indexRows).toBeGreaterThanOrEqual(3);
});
