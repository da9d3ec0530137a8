import { ApplicationFailure, CancellationScope, getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import type { GatewayAcknowledgement } from '../../activities/serving/acknowledgements.js';
import type { GatewayProbe } from '../../activities/serving/probes.js';
import { workflowIds } from '../../domain/ids.js';
import { shortened } from '../../domain/workflow-message.js';
import type { RollbackRequest } from '../../domain/workflow-inputs.js';
import { quickActivities, gatewayWaits, inputChecks, lockWaits } from '../activity-profiles.js';
import { abortSignal } from '../messages.js';
import { mark, Timeline } from '../timeline.js';

export interface RollbackResult {
  /** The version that is served again. */
  version: number;
  epoch: number;
  reason: string;
  /** Every live gateway, with the epoch that it serves and since when. */
  acknowledged: GatewayAcknowledgement[];
  /** When the last of them had acknowledged. ISO 8601, UTC. */
  acknowledgedAt: string | null;
  /** The restored version's answer at every live gateway. */
  probed: GatewayProbe[];
  probedAt: string | null;
  /** What gateways said that refused to probe it, though they serve it. Absent where all answered. */
  probeRefused?: string;
}

/**
 * A rollout that was told to stop gives way within seconds. One that cannot, because its own way back is stuck, is
 * overtaken: its token no longer writes.
 */
const takeOverAfterSeconds = 30;

/**
 * Puts the previous version back in one call, a rollout running or not; done when gateways acknowledged it and it
 * answered a probe.
 */
export async function rollbackModel(input: RollbackRequest): Promise<RollbackResult> {
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  const request = await inputChecks().parseRollbackRequest(input);
  const { model, environment, actor, reason, undoes } = request;
  mark({ model, environment });
  const timeline = new Timeline(`Rollback of ${model} in ${environment}`);

  if (undoes) {
    timeline.doing('stopping the rollout that is running');
    await getExternalWorkflowHandle(undoes.workflowId ?? workflowIds.rollout(environment, model))
      .signal(abortSignal, { actor, reason: shortened(`rollback: ${reason}`, 1000) })
      .catch(() => {
        timeline.note('the rollout ended before it could be stopped');
      });
  }
  const lease = await lockWaits().takeRolloutLease({
    environment,
    model,
    holder: { workflowId, runId },
    takeOverAfterSeconds,
  });
  try {
    const target = await quickActivities().planRollback({
      model,
      environment,
      to: request.to ?? undoes?.champion ?? null,
      leaves: request.leaves ?? null,
    });
    const { version } = target;
    timeline.doing(`restoring version ${version}`);
    // What the stopped rollout, or another rollback of the same epoch, has put back already is not written twice: it is
    // proven all the same.
    const epoch =
      target.alreadySince ??
      (
        await quickActivities().writeRoute({
          environment,
          model,
          lease,
          target: { split: [{ version, sharePct: 100 }] },
          reason: `rollback by ${actor}: ${reason}`,
          by: { actor },
          idempotencyKey: `${runId}/rollback`,
        })
      ).epoch;
    const waits = gatewayWaits(60);
    const { serving } = await waits.waitUntilAcknowledged({ environment, model, epoch });
    // Histories of version 0.1.0 hold neither list.
    const acknowledged = (serving as typeof serving | undefined) ?? [];
    timeline.note(
      `epoch ${epoch} acknowledged by ${acknowledged.map((one) => `${one.gateway} at ${one.at}`).join(', ')}`,
    );
    const { probes, replacedBy, refused } = await waits.probe({ environment, model, version });
    const probed = (probes as typeof probes | undefined) ?? [];
    if (typeof replacedBy === 'number') throw overtaken(version, replacedBy);
    mark({ version: String(version), outcome: 'rolled-back' });
    timeline.finished(
      refused === undefined
        ? `version ${version} answers again since epoch ${epoch}`
        : `version ${version} serves again since epoch ${epoch}, and refused its probe: ${refused}`,
    );
    const result = {
      version,
      epoch,
      reason,
      acknowledged,
      acknowledgedAt: latest(acknowledged),
      probed,
      probedAt: latest(probed),
    };
    return refused === undefined ? result : { ...result, probeRefused: refused };
  } finally {
    await CancellationScope.nonCancellable(() => quickActivities().releaseLease(lease));
  }
}

const latest = (times: readonly { at: string }[]): string | null =>
  times
    .map((one) => one.at)
    .sort()
    .at(-1) ?? null;

const overtaken = (version: number, epoch: number) =>
  ApplicationFailure.nonRetryable(
    `another rollback intervened: epoch ${epoch} does not serve version ${version}. Check the route, ` +
      'and roll back again if needed.',
    'state/conflict',
  );
