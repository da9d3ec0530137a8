import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { listQuarantined, recordsOfPartition } from '../../../db/data/quarantine-lists.js';
import { applyDefinition, definitionInForce } from '../../../db/model/definition-queries.js';
import { definitionsInForce, listModels, modelRow } from '../../../db/model/model-lists.js';
import { archivedVersions } from '../../../db/model/version-archive.js';
import { listVersions, newestVersion, versionWithOrigin } from '../../../db/model/version-lists.js';
import { versionOf, versionTrainedAlike } from '../../../db/model/version-queries.js';
import { newerCandidate, olderWaiting } from '../../../db/promotion/newer-candidates.js';
import { listPromotions } from '../../../db/promotion/promotion-lists.js';
import { decisionsOf, promotionById, promotionInto } from '../../../db/promotion/promotion-queries.js';
import {
  epochOfStageInForce,
  heldLeases,
  openRows,
  orphanedShares,
  rolloutOfPromotion,
  rolloutsAwaitingLabels,
} from '../../../db/reconciliation-queries.js';
import { championPast, pastOfRollback, setBackOf } from '../../../db/rollout/champion-history.js';
import { thinLookInputs } from '../../../db/rollout/look-inputs.js';
import { recentTraffic } from '../../../db/rollout/recent-traffic.js';
import { listRollouts, rolloutWithLooks } from '../../../db/rollout/rollout-lists.js';
import { carriedOutBy, rolloutById, runningRollout } from '../../../db/rollout/rollout-queries.js';
import { steeringOf } from '../../../db/rollout/steering-queries.js';
import { listGatewayEvents } from '../../../db/serving/gateway-events.js';
import { listGateways } from '../../../db/serving/gateway-lists.js';
import { liveGateways, recordGateway } from '../../../db/serving/gateway-queries.js';
import { passportFacts } from '../../../db/serving/passport-queries.js';
import { listRouteHistory, listRoutes } from '../../../db/serving/route-lists.js';
import { currentRoutesOf, epochsOfStages, newestRoute, routeOf } from '../../../db/serving/route-queries.js';
import { routeChanges, routeRevision } from '../../../db/serving/route-state.js';
import { servedLast, servedRecently, servedUnder } from '../../../db/serving/serving-windows.js';
import { openRuns } from '../../../db/training/open-runs.js';
import { listRuns, runWithSnapshot } from '../../../db/training/run-lists.js';
import { lastResultOf } from '../../../db/training/run-queries.js';
import { lateRuns, scheduledRuns } from '../../../db/training/scheduled-runs.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { liveThrough } from './live-through.js';
import { changeFacts, createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const environment = 'production' as const;
const model = 'm';
/** Tables that grow with what happens; the others are as large as the installation. */
const growing = [
  ...['gateway_events', 'look_inputs', 'partitions', 'promotion_decisions', 'promotions', 'rollout_looks', 'rollouts'],
  ...['rollout_steering', 'routes', 'run_steps', 'runs', 'serving_rollups', 'serving_totals', 'snapshots'],
  ...['version_archivals', 'versions'],
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
  await applyDefinition(db, parseModelDefinition({ ...flightDelay, name: model }), 'ada');
  await recordGateway(db, { gatewayId: 'g', environment, url: 'http://127.0.0.1:1', bootId: 'b' });
});
afterAll(async () => {
  await Promise.all([db.close(), watcher.close()]);
  await database.drop();
});

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

/**
 * Every other read of `db` that somebody waits for: lists, plans, decisions, what the reconciler asks each quarter of a
 * minute.
 */
const otherReads = (newest: number): Record<string, () => Promise<unknown>> => {
  const [place, page] = [{ environment, model }, { limit: 50 }];
  const id = `${model}${newest}`;
  const candidate = { ...place, version: newest, requestedAt: new Date() };
  const approved = { ...place, version: newest, promotionId: null };
  return {
    'all models': () => listModels(db, page),
    'a model': () => modelRow(db, model),
    'the definition in force': () => definitionInForce(db, model),
    'all definitions in force': () => definitionsInForce(db),
    'versions of a model': () => listVersions(db, model, page),
    'a version with its run': () => versionWithOrigin(db, model, newest),
    'the newest version': () => newestVersion(db, model),
    'whether versions are archived': () => archivedVersions(db, model, [newest - 5, newest]),
    'a version trained alike': () =>
      versionTrainedAlike(db, { model, definitionSha256: 'd', snapshotSha256: `s${newest}`, environmentSha256: 'e' }),
    'all promotions': () => listPromotions(db, page),
    'promotions of a model': () => listPromotions(db, { ...page, model }),
    'promotions of an environment': () => listPromotions(db, { ...page, environment }),
    'promotions of a version': () => listPromotions(db, { ...page, model, version: newest }),
    'open promotions': () => listPromotions(db, { ...page, open: true }),
    'a promotion': () => promotionById(db, id),
    'decisions of a promotion': () => decisionsOf(db, id),
    'the promotion into an environment': () => promotionInto(db, { ...place, version: newest }),
    'the approved promotion': () => promotionInto(db, approved),
    'older promotions that wait': () => olderWaiting(db, candidate),
    'a newer candidate': () => newerCandidate(db, candidate),
    'open rows': () => openRows(db),
    'rollouts that await labels': () => rolloutsAwaitingLabels(db),
    'held leases': () => heldLeases(db),
    'the rollout of a promotion': () => rolloutOfPromotion(db, id),
    'what carried a promotion out': () => carriedOutBy(db, id),
    'the stage in force': () => epochOfStageInForce(db, { id, ...place }),
    'who served by right': () => championPast(db, place),
    'whether a version was taken back': () => setBackOf(db, { ...place, version: newest + 1 }),
    'what a rollback is planned by': () => pastOfRollback(db, { ...place, to: null, leaves: 5 * newest - 5 }),
    'all rollouts': () => listRollouts(db, page),
    'rollouts of a model': () => listRollouts(db, { ...page, ...place }),
    'a rollout with its looks': () => rolloutWithLooks(db, id),
    'what people said to a rollout': () => steeringOf(db, id),
    'how a rollout ended': () => rolloutById(db, id),
    'events of gateways': () => listGatewayEvents(db, page),
    'events of a model': () => listGatewayEvents(db, { ...page, ...place }),
    'all gateways': () => listGateways(db, page),
    'a page of routes in force': () => listRoutes(db, page),
    'routes of a model': () => listRouteHistory(db, { ...page, model }),
    'the newest route': () => newestRoute(db, environment, model),
    'all runs': () => listRuns(db, page),
    'runs of a model': () => listRuns(db, { ...page, model }),
    'open runs': () => openRuns(db),
    'a run': () => runWithSnapshot(db, id),
    'the last result': () => lastResultOf(db, model, 'd'),
    'runs of a schedule': () => scheduledRuns(db, { model, schedule: 'daily' }, 5),
    'runs of a schedule that fires seldom': () => scheduledRuns(db, { model, schedule: 'rare' }, 2),
    'late runs': () => lateRuns(db, { model, schedule: 'daily' }),
    'quarantined partitions': () => listQuarantined(db, { ...page, limit: 3, decided: true }),
    'records of a partition': () => recordsOfPartition(db, model, new Date().toISOString().slice(0, 7)),
    'rollouts whose looks are to be thinned': () => thinLookInputs(db),
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

it('reads go by index, and read no more rows when the installation is ten times older', async () => {
  const read = async (newest: number) => {
    const found: Record<string, Reading> = {};
    for (const [name, work] of Object.entries({ ...hotReads(newest), ...otherReads(newest) })) {
      await work();
      found[name] = await rowsReadBy(work);
    }
    return found;
  };
  await liveThrough(database, { environment, model }, [1, 100]);
  const young = await read(100);
  await liveThrough(database, { environment, model }, [101, 1000]);
  const old = await read(1000);
  for (const [name, { seqRows, indexRows }] of Object.entries(old)) {
    expect.soft(seqRows, `${name}: rows read without an index`).toBe(0);
    const before = (young[name]?.seqRows ?? 0) + (young[name]?.indexRows ?? 0);
    expect.soft(indexRows, `${name}: rows read, ${before} when it was young`).toBeLessThanOrEqual(before + 20);
  }
  // What is measured is measured at all.
  expect((await rowsReadBy(() => db.sql`select count(*) from routes where reason = 'r'`)).seqRows).toBeGreaterThan(
    10_000,
  );
  expect(old['all routes in force']?.indexRows).toBeGreaterThanOrEqual(3);
});
