import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { TemporalHandle } from './connect.js';

export interface PerpetualWorkflow {
  type: 'reconcile' | 'retain' | 'compactLogs';
  ids: { schedule: string; workflow: string };
  note: string;
}

/**
 * Has Temporal keep a workflow running: started now, and again within a minute should somebody end it. Repeating it
 * changes nothing.
 */
export async function keepRunning(
  { client, config }: Pick<TemporalHandle, 'client' | 'config'>,
  { type, ids, note }: PerpetualWorkflow,
): Promise<void> {
  const created = await client.schedule
    .create({
      scheduleId: ids.schedule,
      spec: { intervals: [{ every: '1m' }] },
      action: {
        type: 'startWorkflow',
        workflowType: type,
        workflowId: ids.workflow,
        taskQueue: config.taskQueues.workflows,
        args: [],
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      state: { note },
    })
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    });
  // Not with `triggerImmediately`, which starts one beside the first that the interval starts.
  await created?.trigger(ScheduleOverlapPolicy.SKIP);
}

/** Whether it runs, or is about to. */
export async function keptRunning(
  { workflow, schedule }: TemporalHandle['client'],
  { type, ids }: PerpetualWorkflow,
): Promise<boolean> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
  for await (const _ of workflow.list({ query, pageSize: 1 })) return true;
  const described = await schedule
    .getHandle(ids.schedule)
    .describe()
    .catch(() => undefined);
  return described !== undefined && !described.state.paused;
}
