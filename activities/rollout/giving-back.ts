import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { giveBackRequestSchema } from '../../domain/workflow-inputs.js';
import { describeIssues } from '../../domain/schema-issue.js';
import { rolloutMoves } from '../../domain/rollout/rollout-moves.js';
import { isEnd } from '../../domain/state-moves.js';
import { insertGatewayEvents } from '../../db/serving/gateway-events.js';
import { epochOfStageInForce } from '../../db/reconciliation-queries.js';
import { rolloutById, setRolloutState } from '../../db/rollout/rollout-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { writeOrder } from '../write-order.js';
import { endOfWorkflow } from '../workflow-end.js';

/** A share of traffic that nobody watches: its rollout's workflow has ended, and its route is in force. */
export interface UnwatchedShare {
  rolloutId: string;
  environment: Environment;
  model: string;
  /** How the workflow ended, in words. */
  why: string;
}

export interface GivingBack extends UnwatchedShare {
  to: { champion: number; epoch: number } | null;
  /** Why nothing is given back; empty where something is. */
  note: string;
}

/** Gives back the share of a rollout whose workflow ended without doing so. */
export function createGivingBackActivities({ db, temporal }: Pick<ActivityDependencies, 'db' | 'temporal'>) {
  return {
    /**
     * What giving a share back takes: the champion of before, and the epoch that is left; null where the route in force
     * is not the rollout's.
     * @throws PerdureError `input/invalid`, `not-found`, or `state/conflict` while the rollout's workflow runs.
     */
    async planGivingBack(input: unknown): Promise<GivingBack> {
      const request = giveBackRequestSchema.safeParse(input);
      if (!request.success)
        throw new PerdureError('input/invalid', `giveShareBack: ${describeIssues(request.error.issues)}`);
      const { rolloutId, why } = request.data;
      const rollout = await rolloutById(db, rolloutId);
      if (!rollout) throw new PerdureError('not-found', `rolloutId: no rollout has the id ${rolloutId}.`);
      const { workflowId, environment, model, champion, challenger } = rollout;
      if ((await endOfWorkflow(temporal, { workflowId, runId: rolloutId })) === null)
        throw new PerdureError('state/conflict', `${workflowId} runs: abort the rollout, or roll back.`);
      const found = { rolloutId, why, environment, model };
      const epoch = await epochOfStageInForce(db, rollout);
      if (epoch === undefined) return { ...found, to: null, note: 'it had no traffic share' };
      if (champion === null)
        return {
          ...found,
          to: null,
          note: `no earlier version can take its share: version ${challenger} keeps serving`,
        };
      return { ...found, to: { champion, epoch }, note: '' };
    },

    /** Closes a rollout whose workflow has ended, and says so among the events of its environment. */
    async closeUnwatched({ rolloutId, reason }: { rolloutId: string; reason: string }): Promise<void> {
      const rollout = await rolloutById(db, rolloutId);
      if (!rollout) return;
      if (!isEnd(rolloutMoves, rollout.state))
        await setRolloutState(db, rolloutId, 'failed', rollout.stage, reason, writeOrder());
      const { environment, model, challenger } = rollout;
      await insertGatewayEvents(db, [
        {
          ...{ id: `reconciler/${rolloutId}`, gatewayId: 'reconciler', environment, model, version: challenger },
          ...{
            kind: 'share-given-back',
            message: `rollout of ${model}@${challenger}: ${reason}`,
            at: new Date().toISOString(),
          },
        },
      ]);
    },
  };
}

export type GivingBackActivities = ReturnType<typeof createGivingBackActivities>;
