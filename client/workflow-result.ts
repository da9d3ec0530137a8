import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowResultType } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TemporalFailure, type Workflow } from '@temporalio/common';
import { errorCodes, PerdureError, type ErrorCode } from '../domain/errors.js';
import type { TemporalHandle } from './connect.js';

export interface Started {
  workflowId: string;
  runId: string;
  /** True when it had been started before and this call found it. */
  attached: boolean;
}

/**
 * Waits for a workflow's end.
 * @throws PerdureError `not-found`, or the code and message that made the workflow fail.
 */
export async function resultOf<T extends Workflow>(
  { client }: TemporalHandle,
  workflowId: string,
  runId?: string,
): Promise<WorkflowResultType<T>> {
  try {
    return await client.workflow.getHandle<T>(workflowId, runId).result();
  } catch (error) {
    throw asPerdureError(error, workflowId);
  }
}

/** The product's error in what Temporal throws, where there is one. */
export function asPerdureError(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError)
    return new PerdureError('not-found', `No workflow has the id ${workflowId}, or it has ended.`, { workflowId });
  if (!(error instanceof WorkflowFailedError)) return error;
  let cause: unknown = error.cause;
  while (cause instanceof TemporalFailure && !(cause instanceof ApplicationFailure) && cause.cause) cause = cause.cause;
  if (cause instanceof CancelledFailure)
    return new PerdureError('state/conflict', `${workflowId} was cancelled.`, { workflowId });
  if (!(cause instanceof ApplicationFailure))
    return new PerdureError('state/conflict', `${workflowId} ended early: ${error.message}`, { workflowId });
  const code = errorCodes.find(
    (known): known is ErrorCode => known === (cause instanceof ApplicationFailure ? cause.type : undefined),
  );
  return code
    ? new PerdureError(code, cause.message, { workflowId })
    : new Error(`${workflowId} failed: ${cause.message}`, { cause });
}
