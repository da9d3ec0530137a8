import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { LeaseHolder } from '../domain/lease-holder.js';

/** Whether the chain of runs that began with `runId` goes on, and if not how it ended, in words. */
export type WorkflowLife = { runs: true } | { runs: false; ended: string };

/**
 * Asks Temporal, and no list that lags behind. Runs that continued as new or were reset are one chain with the first.
 */
export async function workflowLife(client: Client, { workflowId, runId }: LeaseHolder): Promise<WorkflowLife> {
  const latest = await describe(client, workflowId);
  // A later workflow may bear the same id, the one that asks included: only a run of the same chain counts.
  if (latest && firstRunOf(latest) === runId) return lifeOf(latest);
  const first = await describe(client, workflowId, runId);
  return first ? lifeOf(first) : { runs: false, ended: 'is unknown to Temporal' };
}

/** The run that began the chain. */
function firstRunOf({ raw, runId }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}

function lifeOf({ status, closeTime }: WorkflowExecutionDescription): WorkflowLife {
  if (status.name === 'RUNNING' || status.name === 'PAUSED') return { runs: true };
  const at = closeTime ? ` at ${closeTime.toISOString()}` : '';
  const how: Record<string, string> = {
    COMPLETED: 'ended',
    FAILED: 'failed',
    CANCELLED: 'was cancelled',
    TERMINATED: 'was terminated',
    TIMED_OUT: 'timed out',
    CONTINUED_AS_NEW: 'ended',
  };
  return { runs: false, ended: `${how[status.name] ?? 'ended'}${at}` };
}

const invalidArgument = 3;

async function describe(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    // An id that is none, as in rows that something else wrote, is known to nobody.
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    if (isGrpcServiceError(cause) && cause.code === invalidArgument) return undefined;
    throw error;
  }
}
