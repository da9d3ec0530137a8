import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { taskQueues, type ActivityQueue } from './domain/task-queues.js';
import { WORKER_SLOTS } from './perdure.config.js';

/**
 * Temporal's part of the environment. Address, namespace, TLS and API key follow the SDK's own environment
 * configuration.
 */

const slots = (most: number, fallback: number) => z.coerce.number().int().min(1).max(most).default(fallback);

const tuningSchema = z.object({
  PERDURE_TASK_QUEUE: z.string().min(1).default('perdure'),
  PERDURE_TEMPORAL_PORT: z.coerce.number().int().min(1).max(65_535).default(7233),
  PERDURE_WORKER_ACTIVITIES_MAX: slots(1000, WORKER_SLOTS.activities),
  PERDURE_WORKER_WAITS_MAX: slots(5000, WORKER_SLOTS.waits),
  PERDURE_WORKER_JUDGING_MAX: slots(64, WORKER_SLOTS.judging),
  PERDURE_WORKER_EVIDENCE_MAX: slots(64, WORKER_SLOTS.evidence),
  PERDURE_WORKER_DATA_MAX: slots(64, WORKER_SLOTS.data),
  PERDURE_WORKER_TRAININGS_MAX: slots(64, WORKER_SLOTS.training),
  PERDURE_WORKER_GRACE_MS: z.coerce.number().int().min(0).max(600_000).default(10_000),
});

/** @throws an Error that names the wrong variable. */
export function loadTemporalConfig(environment: NodeJS.ProcessEnv = process.env) {
  const present = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
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
    /** How many activities of a queue one worker process runs at a time. */
    slots: {
      activities: parsed.data.PERDURE_WORKER_ACTIVITIES_MAX,
      waits: parsed.data.PERDURE_WORKER_WAITS_MAX,
      judging: parsed.data.PERDURE_WORKER_JUDGING_MAX,
      evidence: parsed.data.PERDURE_WORKER_EVIDENCE_MAX,
      data: parsed.data.PERDURE_WORKER_DATA_MAX,
      training: parsed.data.PERDURE_WORKER_TRAININGS_MAX,
    } satisfies Record<ActivityQueue, number>,
    shutdownGraceMs: parsed.data.PERDURE_WORKER_GRACE_MS,
  };
}

export type TemporalConfig = ReturnType<typeof loadTemporalConfig>;
