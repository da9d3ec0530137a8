import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { taskQueues } from './domain/task-queues.js';

/** Temporal's part of the environment. Address, namespace, TLS and API key follow the SDK's own environment configuration. */

const tuningSchema = z.object({
  PERDURE_TASK_QUEUE: z.string().min(1).default('perdure'),
  PERDURE_TEMPORAL_PORT: z.coerce.number().int().min(1).max(65_535).default(7233),
  PERDURE_WORKER_ACTIVITIES_MAX: z.coerce.number().int().min(1).max(1000).default(20),
  PERDURE_WORKER_TRAININGS_MAX: z.coerce.number().int().min(1).max(64).default(1),
  PERDURE_WORKER_GRACE_MS: z.coerce.number().int().min(0).max(600_000).default(10_000),
});

/** @throws an Error that names the wrong variable. */
export function loadTemporalConfig(environment: NodeJS.ProcessEnv = process.env) {
  const present = Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  const parsed = tuningSchema.safeParse(present);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment is not usable. ${problems.join('; ')}. Correct or unset the variable.`);
  }
  const connect = loadClientConnectConfig({ overrideEnvVars: present });
  return {
    connection: {
      ...connect.connectionOptions,
      address: connect.connectionOptions.address ?? `127.0.0.1:${parsed.data.PERDURE_TEMPORAL_PORT}`,
    },
    namespace: connect.namespace ?? 'default',
    taskQueues: taskQueues(parsed.data.PERDURE_TASK_QUEUE),
    activitiesMax: parsed.data.PERDURE_WORKER_ACTIVITIES_MAX,
    trainingsMax: parsed.data.PERDURE_WORKER_TRAININGS_MAX,
    shutdownGraceMs: parsed.data.PERDURE_WORKER_GRACE_MS,
  };
}

export type TemporalConfig = ReturnType<typeof loadTemporalConfig>;
