import type proto from '@temporalio/proto';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';

type History = proto.temporal.api.history.v1.IHistory;

/** How many events each run of a chain has, from the first to the one that goes on or ended. */
export async function eventsOfRuns(
  client: Client,
  {
    workflowId,
    firstExecutionRunId,
  }: Pick<WorkflowHandleWithFirstExecutionRunId, 'workflowId' | 'firstExecutionRunId'>,
): Promise<number[]> {
  const counts: number[] = [];
  for (let runId: string | null | undefined = firstExecutionRunId; runId;) {
    const history: History = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const events = history.events ?? [];
    counts.push(events.length);
    runId = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return counts;
}
