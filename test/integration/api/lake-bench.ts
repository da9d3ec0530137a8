import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createSnapshotActivities, type SnapshotResult } from '../../../activities/data/snapshot.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { closeRun, openRun } from '../../../db/training/run-queries.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { startApi, type TestApi } from './start-api.js';

export interface LakeBench extends TestApi {
  model: ModelDefinition;
  /** Writes a query's rows as Parquet and gives the path. */
  write(sql: string): Promise<string>;
  /** Sales of one month: `rows` of them, each with this amount. */
  month(partition: string, rows?: number, amount?: number): Promise<string>;
  /** A snapshot of what lies there, whatever was trained on before; its run stays open. */
  snapshot(until?: string): Promise<SnapshotResult>;
  /**
   * A run as the schedule starts it, which ends with the snapshot's outcome, or with this one where a snapshot is
   * taken.
   */
  run(outcome?: 'gate-not-passed' | 'failed'): Promise<SnapshotResult & { runId: string }>;
}

/** The control API and the snapshot activity on one lake, with a small model that only this test has. */
export async function openLakeBench(
  change: (definition: ModelDefinition) => ModelDefinition = (definition) => definition,
): Promise<LakeBench> {
  const api = await startApi();
  const home = await mkdtemp(path.join(tmpdir(), 'perdure-lake [1] store=9 '));
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const plain = parseModelDefinition({
    ...flightDelay,
    name: `sales-${randomUUID().slice(0, 8)}`,
    contract: {
      entity: ['id'],
      eventTime: 'at',
      label: { name: 'returned', type: 'boolean' },
      features: {
        amount: { type: 'number', min: 0, max: 10_000 },
        store: { type: 'string' },
        size: { type: 'number', nullable: true },
      },
    },
    data: {
      tables: {
        sales: {
          columns: { id: 'integer', at: 'timestamp', store: 'string', amount: 'number', returned: 'boolean' },
          key: ['id'],
        },
        stores: { partitioned: false, columns: { store: 'string', size: 'number' }, key: ['store'] },
      },
      base: 'sales',
      joins: [{ table: 'stores', on: ['store'] }],
      window: { kind: 'expanding', from: '2024-02' },
      expectations: { volumeRatioMin: 0, volumeRatioMax: 100 },
    },
    evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
    triggers: { schedules: [] },
  });
  const model = parseModelDefinition(change(plain));
  const { sha256: definitionSha256 } = await applyDefinition(api.db, model, 'test');
  const deps = {
    db: api.db,
    store: api.store,
    config: { home, projectRoot: process.cwd() },
    cache: createFileCache(api.store, home),
  } as unknown as ActivityDependencies;
  const activities = createSnapshotActivities(deps);
  const write = async (sql: string) => {
    const file = path.join(home, `${randomUUID()}.parquet`);
    await connection.run(`copy (${sql}) to '${file}' (format parquet)`);
    return file;
  };
  const open = async () => {
    const id = randomUUID();
    const cause = { kind: 'schedule' } as const;
    await openRun(api.db, { id, workflowId: `train/${id}`, model: model.name, definitionSha256, cause, until: null });
    return id;
  };
  const take = (
    runId: string,
    how: { until: string | null; ignoreWatermark: boolean; force: boolean },
  ): Promise<SnapshotResult> =>
    new MockActivityEnvironment().run(activities.takeSnapshot, { runId, model: model.name, definitionSha256, ...how });
  return {
    ...api,
    model,
    write,
    month: (partition, rows = 60, amount = 5) =>
      write(
        `select range::bigint id, timestamp '${partition}-01' + to_hours(range) as "at", 'S' || (range % 3) ` +
          `as store, ${amount}::double amount, range % 2 = 0 returned from range(${rows})`,
      ),
    snapshot: async (until) => take(await open(), { until: until ?? null, ignoreWatermark: true, force: true }),
    async run(outcome = 'gate-not-passed') {
      const runId = await open();
      const result = await take(runId, { until: null, ignoreWatermark: false, force: false });
      const end =
        result.outcome === 'taken'
          ? { outcome, reason: result.summary, watermark: outcome === 'failed' ? null : result.watermark }
          : { outcome: result.outcome, reason: result.reason, watermark: null };
      await closeRun(api.db, { runId, ...end });
      return { ...result, runId };
    },
    async close() {
      connection.closeSync();
      await api.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
