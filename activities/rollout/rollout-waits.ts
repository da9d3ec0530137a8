import { workflowLife } from '../../client/workflow-life.js';
import { asPerdureError } from '../../client/workflow-result.js';
import { leaseNames, workflowIds } from '../../domain/ids.js';
import type { LeaseHolder } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import type { RolloutState } from '../../domain/rollout/move-after-look.js';
import type { ActivityDependencies } from '../dependencies.js';
import { waitBehind } from '../wait-by-retry.js';

export interface RolloutEnd {
  rolloutId: string;
  state: RolloutState;
  reason: string;
  epoch: number | null;
}

/** Waits of a promotion for rollouts: for another one that goes first, and for its own. */
export function createRolloutWaitActivities({ temporal }: Pick<ActivityDependencies, 'temporal'>) {
  return {
    /** Until no rollout of the model runs in the environment. @throws PerdureError `lease/held`, retryable. */
    async awaitRolloutTurn({ environment, model }: { environment: Environment; model: string }): Promise<void> {
      await untilOver({ environment, model }, { workflowId: workflowIds.rollout(environment, model), runId: '' });
    },

    /**
     * How a rollout ended.
     * @throws PerdureError `lease/held`, retryable, while it runs; then the code and message that made it fail.
     */
    async awaitRolloutEnd({
      environment,
      model,
      rolloutId,
    }: {
      environment: Environment;
      model: string;
      rolloutId: string;
    }): Promise<RolloutEnd> {
      const workflowId = workflowIds.rollout(environment, model);
      await untilOver({ environment, model }, { workflowId, runId: rolloutId });
      try {
        return (await temporal.workflow.getHandle(workflowId, rolloutId).result()) as RolloutEnd;
      } catch (error) {
        throw asPerdureError(error, workflowId);
      }
    },

    /** Asks a rollout to go back to the champion. One that is over is left alone. */
    async cancelRollout({
      environment,
      model,
      rolloutId,
    }: {
      environment: Environment;
      model: string;
      rolloutId: string;
    }): Promise<void> {
      const workflowId = workflowIds.rollout(environment, model);
      if (!(await workflowLife(temporal, { workflowId, runId: rolloutId })).runs) return;
      await temporal.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: rolloutId }).cancel();
    },
  };

  async function untilOver(
    { environment, model }: { environment: Environment; model: string },
    holder: LeaseHolder,
  ): Promise<void> {
    const life = await workflowLife(temporal, holder);
    if (life.runs) throw waitBehind(holder.workflowId, { lease: leaseNames.rollout(environment, model) });
  }
}

export type RolloutWaitActivities = ReturnType<typeof createRolloutWaitActivities>;
