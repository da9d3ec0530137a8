import type { Client } from '@temporalio/client';
import { activityQueues, type ActivityQueue, type TaskQueues } from '../domain/task-queues.js';
import type { TemporalHandle } from './connect.js';

/** A task queue as Temporal sees it. */
export interface QueueState {
  queue: ActivityQueue | 'workflows';
  /** Its name in Temporal. */
  taskQueue: string;
  /** Tasks that no worker has taken yet; what waits for its next try is not among them. */
  waiting: number;
  /** Of the oldest of them. */
  waitsSeconds: number;
  /** Workers that asked it for a task lately. One whose slots are all taken does not ask. */
  pollers: number;
}

/** Of Temporal's API. */
const taskQueueTypes = { workflows: 1, activities: 2 } as const;
/** A worker asks again at least every minute, while it has a free slot. */
const pollerGoneMs = 2 * 60_000;

/** All queues of an installation. */
export function queueStates({ client, config }: TemporalHandle): Promise<QueueState[]> {
  return Promise.all(
    (['workflows', ...activityQueues] as const).map((queue) => stateOf(client, config.taskQueues, queue)),
  );
}

async function stateOf(client: Client, names: TaskQueues, queue: QueueState['queue']): Promise<QueueState> {
  const { pollers, stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: names[queue] },
    taskQueueType: queue === 'workflows' ? taskQueueTypes.workflows : taskQueueTypes.activities,
    reportStats: true,
  });
  const since = Date.now() - pollerGoneMs;
  return {
    queue,
    taskQueue: names[queue],
    waiting: Number(stats?.approximateBacklogCount ?? 0),
    waitsSeconds: Number(stats?.approximateBacklogAge?.seconds ?? 0),
    pollers: (pollers ?? []).filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > since).length,
  };
}
