import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createSnapshotActivities, type SnapshotResult } from '../../../activities/data/snapshot.js';
import { createFileCache } from '../../../adapters/file-cache.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { openRun } from '../../../db/training/run-queries.js';
import { parseModelDefinition, type ModelDefinition } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { startApi, type TestApi } from './start-api.js';

export interface LakeBench extends TestApi {
  model: ModelDefinition;
  /** Writes a query's rows as Parquet and gives the path. */
  write(sql: string): Promise<string>;
  /** Sales of one month: `rows` of them, each with this amount. */
  month(partition: string, rows?: number, amount?: number): Promise<string>;
  snapshot(until?: string): Promise<SnapshotResult>;
}

/** The control API and the snapshot activity on one lake, with a small model that only this test has. */
export async function openLakeBench(): Promise<LakeBench> {
  const api = await startApi();
  const home = await mkdtemp(path.join(tmpdir(), 'perdure-lake [1] store=9 '));
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const model = parseModelDefinition({
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
    },
    evaluation: { gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5 }] },
    triggers: { schedules: [] },
  });
  const { sha256: definitionSha256 } = await applyDefinition(api.db, model, 'test');
  const deps = {
    db: api.db,
    store: api.store,
    config: { home },
    cache: createFileCache(api.store, home),
  } as unknown as ActivityDependencies;
  const activities = createSnapshotActivities(deps);
  const write = async (sql: string) => {
    const file = path.join(home, `${randomUUID()}.parquet`);
    await connection.run(`copy (${sql}) to '${file}' (format parquet)`);
    return file;
  };
  return {
    ...api,
    model,
    write,
    month: (partition, rows = 60, amount = 5) =>
      write(
        `select range::bigint id, timestamp '${partition}-01' + to_hours(range) as "at", 'S' || (range % 3) ` +
          `as store, ${amount}::double amount, range % 2 = 0 returned from range(${rows})`,
      ),
    async snapshot(until) {
      const runId = randomUUID();
      const cause = { kind: 'person' } as const;
      await openRun(api.db, {
        id: runId,
        workflowId: `train/${runId}`,
        model: model.name,
        definitionSha256,
        cause,
        until: null,
      });
      const environment = new MockActivityEnvironment();
      return environment.run(activities.takeSnapshot, {
        ...{ runId, model: model.name, definitionSha256 },
        until: until ?? null,
        ...{ ignoreWatermark: true, force: true },
      });
    },
    async close() {
      connection.closeSync();
      await api.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
