import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { PerdureError } from '../domain/errors.js';
import { workflowIds } from '../domain/ids.js';
import type { Environment } from '../domain/names.js';
import { rollbackRequestSchema, type RollbackRequest, type Steering, type SteeringCommand } from '../domain/requests.js';
import { describeIssues } from '../domain/schema-issue.js';
import { rolloutStatusQuery, steerRolloutUpdate, type RolloutStatus, type SteeringAnswer } from '../workflows/messages.js';
import type { rollbackModel, RollbackResult } from '../workflows/rollback-model.js';
import type { TemporalHandle } from './connect.js';
import { resultOf, type Started } from './workflow-result.js';

export type { RollbackResult, SteeringAnswer };

const noRollout = (environment: Environment, model: string) =>
  new PerdureError(
    'not-found',
    `No rollout of ${model} is running in ${environment}. \`perdure rollout status ${model}\` shows the last one.`,
    { environment, model },
  );

/** Tells a running rollout to pause, resume, advance or abort; the answer says whether it will. @throws PerdureError `not-found` when none runs. */
export async function steerRollout(
  { client }: TemporalHandle,
  environment: Environment,
  model: string,
  command: SteeringCommand,
  said: Steering,
): Promise<SteeringAnswer> {
  try {
    return await client.workflow
      .getHandle(workflowIds.rollout(environment, model))
      .executeUpdate(steerRolloutUpdate, { args: [{ command, ...said }] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw noRollout(environment, model);
    throw error;
  }
}

/** Where the latest rollout is; undefined when there never was one. */
export async function rolloutStatus(
  { client }: TemporalHandle,
  environment: Environment,
  model: string,
): Promise<RolloutStatus | undefined> {
  try {
    return (await client.workflow.getHandle(workflowIds.rollout(environment, model)).query(rolloutStatusQuery)) ?? undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Starts a rollback, or finds the one that leaves the same epoch; done when gateways have acknowledged and the restored version has answered. */
export async function startRollback({ client, config }: TemporalHandle, request: RollbackRequest): Promise<Started> {
  const parsed = rollbackRequestSchema.safeParse(request);
  if (!parsed.success) throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
  const { environment, model, epoch } = parsed.data;
  const workflowId =
    epoch === undefined ? `rollback/${environment}/${model}/${randomUUID()}` : workflowIds.rollback(environment, model, epoch);
  const handle = await client.workflow.start<typeof rollbackModel>('rollbackModel', {
    workflowId,
    taskQueue: config.taskQueues.workflows,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [request],
    staticSummary: `${model} in ${environment}: ${parsed.data.reason}`.slice(0, 200),
  });
  return { workflowId, runId: handle.firstExecutionRunId, attached: false };
}

export function rollbackResult(handle: TemporalHandle, workflowId: string, runId?: string): Promise<RollbackResult> {
  return resultOf<typeof rollbackModel>(handle, workflowId, runId);
}
