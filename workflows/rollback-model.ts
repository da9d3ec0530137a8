import { CancellationScope, getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import { workflowIds } from '../domain/ids.js';
import type { RollbackRequest } from '../domain/requests.js';
import { facts, gatewayWaits, parsing, queueing } from './activity-profiles.js';
import { abortSignal } from './messages.js';
import { mark, Timeline } from './timeline.js';

export interface RollbackResult {
  /** The version that is served again. */
  version: number;
  epoch: number;
  reason: string;
}

/** Puts the previous version back in one call, a rollout running or not; done when gateways acknowledged it and it answered a probe. */
export async function rollbackModel(input: RollbackRequest): Promise<RollbackResult> {
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  const request = await parsing().parseRollbackRequest(input);
  const { model, environment, actor, reason } = request;
  mark({ model, environment });
  const timeline = new Timeline(`Rollback of ${model} in ${environment}`);

  if (request.undoes) {
    timeline.doing('stopping the rollout that is running');
    await getExternalWorkflowHandle(workflowIds.rollout(environment, model))
      .signal(abortSignal, { actor, reason: `rollback: ${reason}` })
      .catch(() => {
        timeline.note('the rollout ended before it could be stopped');
      });
  }
  const lease = await queueing().takeRolloutLease({ environment, model, holder: { workflowId, runId } });
  try {
    const target = await facts().planRollback({ model, environment, to: request.to ?? request.undoes?.champion ?? null });
    timeline.doing(`putting version ${target.version} back`);
    const route = await facts().writeRoute({
      environment,
      model,
      lease,
      target: { split: [{ version: target.version, sharePct: 100 }] },
      reason: `rollback by ${actor}: ${reason}`,
      idempotencyKey: `${runId}/rollback`,
    });
    const waits = gatewayWaits(60);
    await waits.waitUntilAcknowledged({ environment, model, epoch: route.epoch });
    await waits.probe({ environment, model, version: target.version });
    mark({ version: String(target.version), outcome: 'rolled-back' });
    timeline.finished(`version ${target.version} answers again since epoch ${route.epoch}`);
    return { version: target.version, epoch: route.epoch, reason };
  } finally {
    await CancellationScope.nonCancellable(() => facts().releaseLease(lease));
  }
}
