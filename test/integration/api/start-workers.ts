import { loadPerdureConfig } from '../../../perdure.config.js';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NativeConnection, bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { createActivities } from '../../../activities/index.js';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { taskQueues } from '../../../domain/task-queues.js';
import type { TrainingLimits } from '../../../domain/training/training-limits.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { failureInterceptor } from '../../../workers/failure-interceptor.js';
import { queueWorkers, workerRoles } from '../../../workers/queue-workers.js';
import { bundleSources } from '../../../workers/workflow-bundle.js';
import type { TestApi } from './start-api.js';

export interface TestWorkers {
  /** A client that starts workflows on these workers' queues. */
  temporal: TemporalHandle;
  activities: ReturnType<typeof createActivities>;
  /** What environments ask, as JSON; nothing at first. */
  floorsFile: string;
  stop(): Promise<void>;
}

interface Replaced {
  limits?: Partial<TrainingLimits>;
  slots?: Partial<TestWorkers['temporal']['config']['slots']>;
  /** Groups of activities, by queue; from the product's own where parts of a group are. */
  replaced?:
    Partial<TestWorkers['activities']> | ((own: TestWorkers['activities']) => Partial<TestWorkers['activities']>);
}

/** All workers beside an API, on queues of their own, that believe nothing but what this API signed. */
export async function startWorkers(
  running: TestApi,
  roles: Readonly<Record<string, readonly string[]>>,
  { slots, replaced, limits }: Replaced = {},
): Promise<TestWorkers> {
  const accessFile = path.join(running.uploadFolder, 'access.json');
  await writeFile(accessFile, JSON.stringify({ roles }));
  const floorsFile = path.join(running.uploadFolder, 'floors.json');
  await writeFile(floorsFile, '{}');
  const config = loadTemporalConfig();
  const { environments, floors } = loadPerdureConfig({});
  const queues = taskQueues(`signed-${randomUUID()}`);
  const connected = await connectTemporal(config);
  const deps = {
    db: running.db,
    store: running.store,
    cache: createFileCache(running.store, path.join(running.uploadFolder, 'cache')),
    temporal: connected.client,
    config: {
      projectRoot: process.cwd(),
      home: running.uploadFolder,
      accessFile,
      training: { perModelMax: 1, highestPriority: 2, ...limits },
      environments,
      floors: { configured: floors.configured, file: floorsFile },
      decisions: { trust: 'signed' as const, verifyingKeysFile: running.verifyingKeysFile },
    },
  };
  const activities = createActivities(deps);
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const connection = await NativeConnection.connect(config.connection);
  const common = { connection, namespace: config.namespace, interceptors: { activity: [failureInterceptor] } };
  const workflowBundle = await bundleWorkflowCode({ ...bundleSources, logger });
  const workers = await queueWorkers({
    roles: workerRoles,
    temporal: { taskQueues: queues, slots: { ...config.slots, ...slots } },
    activities: { ...activities, ...(typeof replaced === 'function' ? replaced(activities) : replaced) },
    workflowBundle: async () => ({ workflowBundle }),
    common,
  });
  const runs = Promise.all(workers.map((worker) => worker.run()));
  return {
    temporal: { ...connected, config: { ...config, taskQueues: queues } },
    activities,
    floorsFile,
    async stop() {
      for (const worker of workers) worker.shutdown();
      await runs;
      await Promise.all([connection.close(), connected.close()]);
    },
  };
}
