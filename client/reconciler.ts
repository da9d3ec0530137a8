import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { reconcilerIds } from '../domain/ids.js';
import type { reconcile } from '../workflows/reconcile.js';
import type { TemporalHandle } from './connect.js';

/**
 * Has Temporal keep the reconciler running: started now, and again within a minute should somebody end it. Repeating it
 * changes nothing.
 */
export async function ensureReconciler({ client, config }: Pick<TemporalHandle, 'client' | 'config'>): Promise<void> {
  const { workflows: taskQueue } = config.taskQueues;
  const created = await client.schedule
    .create({
      scheduleId: reconcilerIds.schedule,
      spec: { intervals: [{ every: '1m' }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'reconcile',
        workflowId: reconcilerIds.workflow,
        taskQueue,
        args: [],
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      state: { note: 'keeps the reconciler running' },
    } satisfies Parameters<typeof client.schedule.create<typeof reconcile>>[0])
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    });
  // Not with `triggerImmediately`, which starts one beside the first that the interval starts.
  await created?.trigger(ScheduleOverlapPolicy.SKIP);
}

/** Whether it runs, or is about to. */
export async function reconcilerRuns({ workflow, schedule }: TemporalHandle['client']): Promise<boolean> {
  for await (const _ of workflow.list({
    query: `WorkflowType = 'reconcile' AND ExecutionStatus = 'Running'`,
    pageSize: 1,
  }))
    return true;
  const described = await schedule
    .getHandle(reconcilerIds.schedule)
    .describe()
    .catch(() => undefined);
  return described !== undefined && !described.state.paused;
}
