import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { PerdureError } from '../domain/errors.js';
import { workflowIds } from '../domain/ids.js';
import type { Environment } from '../domain/names.js';
import type { Decision } from '../domain/promotion/promotion.js';
import {
  decidePromotionUpdate,
  promotionStatusQuery,
  type DecisionAnswer,
  type PromotionStatus,
} from '../workflows/messages.js';
import type { promoteModel, PromotionResult } from '../workflows/promotion/promote-model.js';
import type { TemporalHandle } from './connect.js';
import { unlessStuck } from './stuck-workflows.js';
import { asPerdureError, resultOf, type Started } from './workflow-result.js';

/**
 * Asks for a promotion; one that is open for the same version and environment is found instead.
 * @throws PerdureError `state/conflict` when further shadows are asked for and one is open: a run that passes its gates
 * opens one without.
 */
export async function startPromotion(
  { client, config }: TemporalHandle,
  {
    model,
    version,
    environment,
    requestedBy,
    alsoShadow = [],
  }: { model: string; version: number; environment: Environment; requestedBy: string; alsoShadow?: number[] },
): Promise<Started> {
  const workflowId = workflowIds.promote(model, version, environment);
  try {
    const handle = await client.workflow.start<typeof promoteModel>('promoteModel', {
      workflowId,
      taskQueue: config.taskQueues.workflows,
      args: [{ model, version, environment, requestedBy, ...(alsoShadow.length > 0 && { alsoShadow }) }],
      staticSummary: `${model}@${version} to ${environment}`,
    });
    return { workflowId, runId: handle.firstExecutionRunId, attached: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (alsoShadow.length > 0)
      throw new PerdureError(
        'state/conflict',
        `A promotion of ${model}@${version} to ${environment} is already open and keeps its original ` +
          'options. To change them, withdraw it and request it again: ' +
          `perdure withdraw ${model}@${version} --env ${environment}, ` +
          'then the same command.',
        { model, version, environment },
      );
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, attached: true };
  }
}

/**
 * Sends a decision and waits for the ruling: whether it counts, and why. It is not signed unless `decision` brings a
 * signature: the control API signs, and where decisions must be signed only its own count.
 * @param promotionId reaches this promotion only, and not a later one of the same version
 * @throws PerdureError `not-found` when no such promotion is open, `input/invalid` for what is not a decision,
 * `workflow/stuck` as soon as the promotion's own code is seen to fail, `server/unreachable` when nothing has ruled
 * `withinMs`.
 */
export async function decidePromotion(
  { client }: TemporalHandle,
  workflowId: string,
  decision: Decision,
  { promotionId, withinMs }: { promotionId?: string; withinMs?: number } = {},
): Promise<DecisionAnswer> {
  const handle = client.workflow.getHandle(
    workflowId,
    undefined,
    promotionId === undefined ? {} : { firstExecutionRunId: promotionId },
  );
  const send = () => handle.executeUpdate(decidePromotionUpdate, { args: [decision] });
  try {
    return await unlessStuck(
      client,
      workflowId,
      withinMs === undefined ? send() : client.withDeadline(Date.now() + withinMs, send),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new PerdureError(
        'server/unreachable',
        'No worker has processed the decision in time; it may still be processed. `perdure status` shows ' +
          'whether workers run, `perdure promotions show` what was decided.',
      );
    }
    if (error instanceof WorkflowUpdateFailedError) {
      const { cause } = error;
      throw new PerdureError(
        cause instanceof ApplicationFailure && cause.type === 'input/invalid' ? 'input/invalid' : 'promotion/closed',
        cause?.message ?? error.message,
      );
    }
    throw asPerdureError(error, workflowId);
  }
}

export function promotionStatus({ client }: TemporalHandle, workflowId: string): Promise<PromotionStatus> {
  return client.workflow.getHandle(workflowId).query(promotionStatusQuery);
}

export function promotionResult(handle: TemporalHandle, workflowId: string, runId?: string): Promise<PromotionResult> {
  return resultOf<typeof promoteModel>(handle, workflowId, runId);
}
