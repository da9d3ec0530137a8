import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { workflowLife } from '../client/workflow-life.js';
import { PerdureError } from '../domain/errors.js';
import { leaseNames, workflowIds } from '../domain/ids.js';
import { parseHolder, type LeaseHolder } from '../domain/lease-holder.js';
import type { Environment } from '../domain/names.js';
import type { PromotionState } from '../domain/promotion/promotion.js';
import { giveBackRequestSchema } from '../domain/workflow-inputs.js';
import { describeIssues } from '../domain/schema-issue.js';
import { rolloutMoves } from '../domain/rollout/rollout-moves.js';
import { isEnd } from '../domain/state-moves.js';
import { insertGatewayEvents } from '../db/serving/gateway-events.js';
import { releaseLease } from '../db/lease-queries.js';
import {
  epochOfStageInForce,
  heldLeases,
  openRows,
  rolloutOfPromotion,
  rolloutsAwaitingLabels,
  orphanedShares,
} from '../db/reconciliation-queries.js';
import { promotionById, setPromotionState } from '../db/promotion/promotion-queries.js';
import { recordLastWord, rolloutById, setRolloutState } from '../db/rollout/rollout-queries.js';
import { closeRun } from '../db/training/run-queries.js';
import type { ActivityDependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { writeOrder } from './write-order.js';

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

/** What one pass found. */
export interface Reconciled {
  /** One line each for what was closed or given back. */
  closed: string[];
  /** Rollouts whose share must go back to the champion before they can be closed. */
  unwatched: UnwatchedShare[];
}

/** Shares a pass: each starts a workflow. What is left over is found by the next pass. */
const unwatchedMax = 50;
/** Lines that a pass tells; the rows say the rest. */
const linesMax = 50;

/** How long what is no longer true may stand, at most: a pass takes a second or two. */
const passEveryMs = 15_000;
/** A watch that has found nothing for so long begins anew. */
const watchMs = 23 * 3_600_000;

/** Makes rows true again whose workflows ended without ending them: terminated, timed out or failed half-way. */
export function createReconciliationActivities({ db, temporal }: Pick<ActivityDependencies, 'db' | 'temporal'>) {
  return {
    /** One pass. */
    reconcileOpenRows: () => pass(),

    /**
     * Pass after pass, until one finds something or some hours are over. Begun again elsewhere when its worker dies: no
     * pass depends on the one before.
     */
    watchOpenRows: () =>
      withHeartbeat(async (signal) => {
        const untilMs = Date.now() + watchMs;
        for (;;) {
          const found = await pass();
          if (found.closed.length > 0 || found.unwatched.length > 0 || Date.now() >= untilMs) return found;
          await delay(passEveryMs, undefined, { signal });
        }
      }),

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
      if ((await endOf({ workflowId, runId: rolloutId })) === null)
        throw new PerdureError('state/conflict', `${workflowId} runs: abort the rollout, or roll back.`);
      const found = { rolloutId, why, environment, model };
      const epoch = await epochOfStageInForce(db, rollout);
      if (epoch === undefined) return { ...found, to: null, note: 'it had no share of the traffic' };
      if (champion === null)
        return {
          ...found,
          to: null,
          note: `there was no version before it to give its share to: version ${challenger} serves on`,
        };
      return { ...found, to: { champion, epoch }, note: '' };
    },

    /** Closes a rollout whose workflow has ended, and says so among the events of its environment. */
    async closeUnwatched({ rolloutId, reason }: { rolloutId: string; reason: string }): Promise<void> {
      const rollout = await rolloutById(db, rolloutId);
      if (!rollout) return;
      if (!isEnd(rolloutMoves, rollout.state))
        await setRolloutState(db, rolloutId, 'failed', rollout.step, reason, writeOrder());
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

  /**
   * One pass over everything that is open. Whatever it closes it closes only from an open state, so that repeating
   * changes nothing.
   */
  async function pass(): Promise<Reconciled> {
    const closed: string[] = [];
    const unwatched: UnwatchedShare[] = [];
    for (const { kind, id, workflowId, model } of await openRows(db)) {
      const ended = await endOf({ workflowId, runId: id });
      if (ended === null) continue;
      const why = `its workflow ${ended}`;
      if (kind === 'run') {
        const outcome = ended.startsWith('was cancelled') ? 'cancelled' : 'failed';
        await closeRun(db, {
          runId: id,
          outcome,
          reason: `${why}. Start it again with \`perdure train ${model}\`.`,
          watermark: null,
        });
        closed.push(`run ${workflowId}: ${why}`);
      } else if (kind === 'promotion') {
        if (await closePromotion(id, why).catch(unlessMoved)) closed.push(`promotion ${workflowId}: ${why}`);
      } else {
        const rollout = await rolloutById(db, id);
        if (rollout) unwatched.push({ rolloutId: id, environment: rollout.environment, model, why });
      }
    }
    for (const { id, environment, model, challenger } of await rolloutsAwaitingLabels(db)) {
      const workflowId = workflowIds.review(environment, model, challenger);
      const ended = await endOf({ workflowId, runId: '' });
      if (ended === null) continue;
      const reason =
        `Nobody waits for labels any more: the review ${ended}. Start reviewRollout ` +
        `{"rolloutId":"${id}"} to hear them all the same.`;
      await recordLastWord(db, id, { verdict: 'no-data', reason, coveragePct: 0, at: new Date().toISOString() });
      closed.push(`review ${workflowId}: ${ended}`);
    }
    for (const lease of await heldLeases(db)) {
      const ended = await endOf(parseHolder(lease.holder));
      if (ended === null) continue;
      await releaseLease(db, lease);
      closed.push(`lease ${lease.name}: its holder ${ended}`);
    }
    const held = new Set((await heldLeases(db)).map((lease) => lease.name));
    for (const stray of await orphanedShares(db)) {
      if (!unwatched.some((one) => one.rolloutId === stray.rolloutId))
        unwatched.push({ ...stray, why: 'its rollout has ended without giving it back' });
    }
    // A rollout or a rollback that holds the lease writes a route of its own.
    const free = unwatched.filter(({ environment, model }) => !held.has(leaseNames.rollout(environment, model)));
    const left: UnwatchedShare[] = [];
    for (const share of free.slice(0, unwatchedMax)) {
      const givingBack = workflowIds.giveBack(share.environment, share.model);
      if ((await endOf({ workflowId: givingBack, runId: '' })) !== null) left.push(share);
    }
    return { closed: closed.slice(0, linesMax), unwatched: left };
  }

  /** Null while it runs. */
  async function endOf(holder: LeaseHolder): Promise<string | null> {
    Context.current().heartbeat();
    const life = await workflowLife(temporal, holder);
    return life.runs ? null : life.ended;
  }

  /**
   * Where its rollout still goes on, it is told to go back, and waited for; else the promotion ends as the rollout did.
   */
  async function closePromotion(id: string, why: string): Promise<boolean> {
    const { state, model, version, environment } = await promotionById(db, id);
    const rollout = state === 'rolling-out' ? await rolloutOfPromotion(db, id) : undefined;
    if (rollout && !isEnd(rolloutMoves, rollout.state)) {
      // Refused where it is going back already, or has just ended: the next pass sees it.
      const running = temporal.workflow.getHandle(workflowIds.rollout(environment, model), undefined, {
        firstExecutionRunId: rollout.id,
      });
      await running.cancel().catch(() => undefined);
      return false;
    }
    const to: PromotionState =
      rollout === undefined ? 'failed' : rollout.state === 'completed' ? 'promoted' : 'rolled-back';
    const rest =
      to === 'promoted'
        ? 'Its rollout was completed before.'
        : `Ask again with \`perdure promote ${model}@${version}\`.`;
    await setPromotionState(db, id, to, `${why}. ${rest}`, writeOrder());
    return true;
  }
}

/** Somebody has moved the row meanwhile: it is looked at again in the next pass. */
function unlessMoved(error: unknown): false {
  if (error instanceof PerdureError && error.code === 'state/conflict') return false;
  throw error;
}

export type ReconciliationActivities = ReturnType<typeof createReconciliationActivities>;
