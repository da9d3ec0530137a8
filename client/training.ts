import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Cause } from '../domain/cause.js';
import { PerdureError } from '../domain/errors.js';
import { workflowIds } from '../domain/ids.js';
import { trainRequestSchema, type TrainRequest } from '../domain/workflow-inputs.js';
import { describeIssues } from '../domain/schema-issue.js';
import type { RunResult } from '../workflows/training/train-model.js';
import type { trainModel } from '../workflows/training/train-model.js';
import type { TemporalHandle } from './connect.js';
import { resultOf, type Started } from './workflow-result.js';

/**
 * Starts a training run. The same cause (kind and id) starts one run only: asking again while it runs or after it
 * succeeded gives that run. Without a cause id each call is a run of its own.
 * @throws PerdureError `input/invalid` that names the field.
 */
export async function startTraining({ client, config }: TemporalHandle, request: TrainRequest): Promise<Started> {
  const parsed = trainRequestSchema.safeParse(request);
  if (!parsed.success) throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
  const { model, until, set, force, environment } = parsed.data;
  const cause: Cause & { id: string } = { ...parsed.data.cause, id: parsed.data.cause.id ?? randomUUID() };
  const workflowId = workflowIds.train(model, cause);
  try {
    const handle = await client.workflow.start<typeof trainModel>('trainModel', {
      workflowId,
      taskQueue: config.taskQueues.workflows,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: [
        {
          model,
          cause,
          set,
          ...(until === undefined ? {} : { until }),
          ...(force && { force }),
          ...(environment && { environment }),
        },
      ],
      staticSummary:
        `train ${model}${until ? ` until ${until}` : ''}` +
        `${environment ? ` on data of ${environment}` : ''} (${cause.kind})`,
    });
    return { workflowId, runId: handle.firstExecutionRunId, attached: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, attached: true };
  }
}

/** Waits for a run's end. @throws PerdureError with the failure's code when it failed. */
export function trainingResult(handle: TemporalHandle, workflowId: string, runId?: string): Promise<RunResult> {
  return resultOf<typeof trainModel>(handle, workflowId, runId);
}

/** Asks a run to end; what it had not finished is cleaned up. */
export async function cancelTraining({ client }: TemporalHandle, workflowId: string, runId?: string): Promise<void> {
  await client.workflow.getHandle(workflowId, runId).cancel();
}
