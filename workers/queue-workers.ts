import { Worker, type WorkerOptions } from '@temporalio/worker';
import { activitiesOf, type Activities } from '../activities/index.js';
import type { ActivityQueue } from '../domain/task-queues.js';
import type { TemporalConfig } from '../temporal.config.js';

/** What PERDURE_WORKER_QUEUES may name, and the queues that it stands for. */
const queuesOfRole = {
  workflows: ['workflows'],
  activities: ['activities', 'waits', 'judging', 'evidence'],
  data: ['data'],
  training: ['training'],
} as const satisfies Record<string, readonly (ActivityQueue | 'workflows')[]>;
export type WorkerRole = keyof typeof queuesOfRole;
export const workerRoles = Object.keys(queuesOfRole) as WorkerRole[];

/** What all workers of a process share. */
type Common = Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'shutdownGraceTime' | 'shutdownForceTime' | 'interceptors'
>;

interface Polled {
  roles: readonly WorkerRole[];
  temporal: Pick<TemporalConfig, 'taskQueues' | 'slots'>;
  activities: Activities;
  workflowBundle: () => Promise<Required<Pick<WorkerOptions, 'workflowBundle'>>>;
  common: Common;
}

/** One Temporal worker for each queue of the roles, none of which has begun to poll. */
export async function queueWorkers({ roles, temporal, activities, workflowBundle, common }: Polled): Promise<Worker[]> {
  const queues = roles.flatMap((role): readonly (ActivityQueue | 'workflows')[] => queuesOfRole[role]);
  return Promise.all(
    queues.map(async (queue) =>
      queue === 'workflows'
        ? Worker.create({
            ...common,
            taskQueue: temporal.taskQueues.workflows,
            ...(await workflowBundle()),
            activities: activities.local,
          })
        : Worker.create({
            ...common,
            taskQueue: temporal.taskQueues[queue],
            activities: activitiesOf(queue, activities),
            maxConcurrentActivityTaskExecutions: temporal.slots[queue],
          }),
    ),
  );
}

/** What a worker polls, for its log: `perdure-training (1 at a time), …`. */
export function polledText(roles: readonly WorkerRole[], { taskQueues, slots }: Polled['temporal']): string {
  const queues = roles.flatMap((role): readonly (ActivityQueue | 'workflows')[] => queuesOfRole[role]);
  return queues
    .map((queue) =>
      queue === 'workflows'
        ? `${taskQueues.workflows} (workflow tasks)`
        : `${taskQueues[queue]} (${slots[queue]} at a time)`,
    )
    .join(', ');
}
