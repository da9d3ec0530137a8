import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { PerdureError } from '../domain/errors.js';
import { workflowIds } from '../domain/ids.js';
import type { Environment } from '../domain/names.js';
import {
  rollbackRequestSchema,
  type RollbackRequest,
  type Steering,
  type SteeringCommand,
} from '../domain/workflow-inputs.js';
import { describeIssues } from '../domain/schema-issue.js';
import {
  rolloutStatusQuery,
  steerRolloutUpdate,
  type RolloutStatus,
  type SteeringAnswer,
} from '../workflows/messages.js';
import type { rollbackModel, RollbackResult } from '../workflows/rollout/rollback-model.js';
import type { TemporalHandle } from './connect.js';
import { updateWorkflow } from './update-workflow.js';
import { resultOf, type Started } from './workflow-result.js';

export type { RollbackResult, SteeringAnswer };

const noRollout = (environment: Environment, model: string) =>
  new PerdureError(
    'not-found',
    `No rollout of ${model} is running in ${environment}. \`perdure rollout status ${model}\` shows the last one.`,
    { environment, model },
  );

/**
 * Tells a running rollout to pause, resume, advance or abort; the answer says whether it will.
 * @param rolloutId reaches this rollout only, and not a later one of the same model
 * @throws PerdureError `not-found` when none runs, `workflow/stuck` as soon as the rollout's own code is seen to fail,
 * `server/unreachable` when nothing has answered `withinMs`.
 */
export async function steerRollout(
  { client }: TemporalHandle,
  environment: Environment,
  model: string,
  command: SteeringCommand,
  said: Steering,
  { rolloutId, withinMs }: { rolloutId?: string; withinMs?: number } = {},
): Promise<SteeringAnswer> {
  const workflowId = workflowIds.rollout(environment, model);
  try {
    const rollout = { workflowId, runId: rolloutId, withinMs };
    return await updateWorkflow(client, rollout, steerRolloutUpdate, { command, ...said });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw noRollout(environment, model);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
      throw new PerdureError(
        'server/unreachable',
        `No worker has answered in time; the rollout may still ${command}. \`perdure status\` says whether ` +
          `workers run, \`perdure rollout status ${model}\` what was done.`,
      );
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
    return (
      (await client.workflow.getHandle(workflowIds.rollout(environment, model)).query(rolloutStatusQuery)) ?? undefined
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Starts a rollback, or finds the one that leaves the same epoch; done when gateways have acknowledged and the restored
 * version has answered.
 */
export async function startRollback({ client, config }: TemporalHandle, request: RollbackRequest): Promise<Started> {
  const parsed = rollbackRequestSchema.safeParse(request);
  if (!parsed.success) throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
  const { environment, model, epoch } = parsed.data;
  const workflowId =
    epoch === undefined
      ? `rollback/${environment}/${model}/${randomUUID()}`
      : workflowIds.rollback(environment, model, epoch);
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
