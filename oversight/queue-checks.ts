import type { TemporalHandle } from '../client/connect.js';
import { queueStates, type QueueState } from '../client/queue-states.js';
import type { Database } from '../db/connect.js';
import { openRuns } from '../db/training/open-runs.js';
import { runQueue, stepInSlot, type OpenRun, type WaitKind } from '../domain/training/run-queue.js';
import { ok, problem, type Check } from './check.js';
import { depthText, type QueueDepth } from './queue-depth.js';

/** What PERDURE_WORKER_QUEUES must name for a queue to be polled. */
const roleOf: Readonly<Record<QueueState['queue'], string>> = {
  workflows: 'workflows',
  activities: 'activities',
  waits: 'activities',
  judging: 'activities',
  evidence: 'activities',
  data: 'data',
  training: 'training',
};

/** How deep the queues are, and whether each has a worker. */
export async function queueChecks(
  handle: TemporalHandle,
  db: Database,
): Promise<{ checks: Check[]; depth: QueueDepth }> {
  const [queues, open] = await Promise.all([queueStates(handle), openRuns(db)]);
  const waits = [...runQueue(open, new Date()).values()];
  const waitingFor = (kind: WaitKind) => waits.filter((one) => one.for === kind).length;
  const depth: QueueDepth = {
    queues,
    runs: { model: waitingFor('model'), data: waitingFor('data'), training: waitingFor('training') },
  };
  const checks: Check[] = [];
  for (const { queue, taskQueue, waiting, pollers } of queues) {
    if (pollers > 0 || (await isWorkedOn(handle, queue, open))) continue;
    const finding = `no worker polls ${taskQueue}${waiting > 0 ? `, and ${waiting} tasks wait there` : ''}`;
    const remedy =
      `Start a worker with PERDURE_WORKER_QUEUES=${roleOf[queue]}; on the embedded stack, look at its ` +
      `workers' logs.`;
    checks.push(problem(`queue ${queue}`, finding, remedy));
  }
  return { checks: checks.length > 0 ? checks : [ok('queues', depthText(depth))], depth };
}

/** Runs whose workflow is asked whether a worker has their step; one that has is proof enough. */
const askedMax = 20;
/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const started = 2;

/** A worker whose slots are all taken asks for nothing: then an activity of the queue is being worked on. */
async function isWorkedOn({ client }: TemporalHandle, queue: QueueState['queue'], open: OpenRun[]): Promise<boolean> {
  for (const { workflowId } of open.filter((run) => stepInSlot(run) === queue).slice(0, askedMax)) {
    const described = await client.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined);
    if (described?.raw.pendingActivities?.some(({ state }) => state === started)) return true;
  }
  return false;
}
