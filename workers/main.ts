import path from 'node:path';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { createActivities } from '../activities/index.js';
import { createFileCache, type FileCache } from '../adapters/verified-file-cache.js';
import { decisionVerifier } from '../adapters/decision-keys.js';
import { createObjectStore } from '../adapters/object-store/object-store.js';
import { announceReady, onShutdown } from '../adapters/process-lifecycle.js';
import { sweepWorkFolders } from '../adapters/work-folder.js';
import { ensureCompaction } from '../client/keep-compacting.js';
import { ensureReconciler } from '../client/keep-reconciling.js';
import { ensureRetention } from '../client/keep-retention.js';
import { connectDatabase } from '../db/connect.js';
import { trustText } from '../domain/decision-trust.js';
import { loadPerdureConfig, type PerdureConfig } from '../perdure.config.js';
import { loadTemporalConfig } from '../temporal.config.js';
import { failureInterceptor } from './failure-interceptor.js';
import { activityFailpoints } from './activity-failpoints.js';
import { polledText, queueWorkers, workerRoles } from './queue-workers.js';
import { loadWorkflowBundle } from './workflow-bundle.js';

const rolesSchema = z
  .string()
  .default(workerRoles.join(','))
  .transform((text) => [...new Set(text.split(','))])
  .pipe(z.array(z.enum(workerRoles)).min(1));

const sweepEveryMs = 5 * 60_000;

/** A worker process: any number may run, each with any of the queues. */
async function main(): Promise<void> {
  const roles = rolesSchema.parse(process.env['PERDURE_WORKER_QUEUES']);
  const config = loadPerdureConfig();
  const temporal = loadTemporalConfig();
  if (!config.databaseUrl || !config.s3.endpoint || !config.s3.accessKeyId || !config.s3.secretAccessKey) {
    throw new Error(
      'A worker needs PERDURE_DATABASE_URL, PERDURE_S3_ENDPOINT, AWS_ACCESS_KEY_ID and ' +
        'AWS_SECRET_ACCESS_KEY. `perdure up` sets them.',
    );
  }
  if (roles.includes('activities')) await checkDecisionKeys(config.decisions);
  Runtime.install({ shutdownSignals: [] });
  const connection = await NativeConnection.connect(temporal.connection);
  const clientConnection = await Connection.connect(temporal.connection);
  const db = connectDatabase(config.databaseUrl, { max: 10 });
  const store = createObjectStore({
    ...config.s3,
    endpoint: config.s3.endpoint,
    accessKeyId: config.s3.accessKeyId,
    secretAccessKey: config.s3.secretAccessKey,
  });
  const deps = {
    db,
    store,
    config,
    cache: createFileCache(store, path.join(config.home, 'cache', 'objects')),
    temporal: new Client({ connection: clientConnection, namespace: temporal.namespace }),
  };
  const holdFolder = process.env['PERDURE_HOLD_FOLDER'];
  if (holdFolder)
    process.stdout.write(
      `DRILL: activities are held while a file in ${holdFolder} asks for it ` + `(PERDURE_HOLD_FOLDER).\n`,
    );
  const workers = await queueWorkers({
    roles,
    temporal,
    activities: createActivities(deps),
    workflowBundle: () => loadWorkflowBundle(config.home),
    common: {
      connection,
      namespace: temporal.namespace,
      shutdownGraceTime: temporal.shutdownGraceMs,
      shutdownForceTime: temporal.shutdownGraceMs + 5000,
      interceptors: { activity: [...(holdFolder ? [activityFailpoints(holdFolder)] : []), failureInterceptor] },
    },
  });
  if (roles.includes('workflows')) {
    const handle = { client: deps.temporal, config: temporal };
    await Promise.all([ensureReconciler(handle), ensureRetention(handle), ensureCompaction(handle)]);
  }
  await keepFoldersSwept(config.home, deps.cache);
  const running = Promise.all(workers.map((worker) => worker.run()));
  onShutdown(
    'worker',
    async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.catch(() => undefined);
      await Promise.allSettled([connection.close(), clientConnection.close(), db.close()]);
    },
    temporal.shutdownGraceMs + 8000,
  );
  process.stdout.write(`polls ${polledText(roles, temporal)}\n`);
  announceReady();
  await running;
}

/**
 * What workers that were killed left behind goes at the start, and again now and then: who dies may be another one. So
 * do copies that nobody needs any more.
 */
async function keepFoldersSwept(home: string, cache: FileCache): Promise<void> {
  const sweep = async () => {
    await cache.sweep();
    const swept = await sweepWorkFolders(home);
    if (swept.length > 0)
      process.stdout.write('swept work folders whose process no longer lives: ' + `${swept.join(', ')}\n`);
  };
  await sweep();
  setInterval(() => void sweep().catch(() => undefined), sweepEveryMs).unref();
}

/** A worker that could rule on no decision says so at its start. */
async function checkDecisionKeys({ trust, verifyingKeysFile }: PerdureConfig['decisions']): Promise<void> {
  if (verifyingKeysFile !== undefined) await decisionVerifier(verifyingKeysFile);
  else if (trust === 'signed')
    throw new Error('PERDURE_DECISION_TRUST is "signed": name the public keys in PERDURE_VERIFYING_KEYS_FILE.');
  process.stdout.write(`${trustText(trust)}\n`);
}

await main();
