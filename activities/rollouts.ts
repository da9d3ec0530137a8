import { PerdureError } from '../domain/errors.js';
import { judgeStep } from '../domain/judge.js';
import type { LeaseGrant } from '../domain/lease.js';
import type { Environment } from '../domain/names.js';
import type { JudgePolicy, RolloutPolicy, RolloutStep } from '../domain/rollout-policy.js';
import type { RolloutState } from '../domain/rollout.js';
import { rollbackTarget } from '../domain/rollback-target.js';
import { championOf, type Split } from '../domain/route.js';
import { addWindows } from '../domain/serving-totals.js';
import type { Verdict } from '../domain/verdict.js';
import { definitionByDigest } from '../db/definition-queries.js';
import { windowsOf } from '../db/gateway-queries.js';
import { approvedPromotion } from '../db/promotion-queries.js';
import { openRollout, recordLook, rolloutById, setRolloutState } from '../db/rollout-queries.js';
import { routeHistory, routeOf, writeRoute } from '../db/route-queries.js';
import { versionOf } from '../db/run-queries.js';
import type { ActivityDependencies } from './dependencies.js';

export interface PlannedRollout {
  policy: RolloutPolicy;
  champion: number | null;
  steps: RolloutStep[];
  /** Whether there is a champion to judge against. */
  judged: boolean;
}

interface LookQuestion {
  rolloutId: string;
  environment: Environment;
  model: string;
  champion: number | null;
  challenger: number;
  look: number;
  step: number;
  /** Epoch of the step's route, and of the step before. */
  epoch: number;
  previousEpoch: number | null;
  looksMax: number;
  judge: JudgePolicy;
  rolloutStep: RolloutStep;
}

/** Routes, looks of the judge, and what a rollout or rollback is to do. */
export function createRolloutActivities({ db }: Pick<ActivityDependencies, 'db'>) {
  return {
    /** What the rollout does, settled once: a repeated call, after continue-as-new too, reads what the first one recorded. */
    async planRollout(asked: {
      rolloutId: string;
      workflowId: string;
      model: string;
      challenger: number;
      environment: Environment;
      promotionId: string | null;
    }): Promise<PlannedRollout> {
      const { model, challenger, environment } = asked;
      const registered = await versionOf(db, model, challenger);
      const { rollout: policy } = await definitionByDigest(db, registered.definitionSha256);
      const known = await rolloutById(db, asked.rolloutId);
      const champion = known ? known.champion : await championNow(environment, model);
      if (!known) {
        const promotionId = await approvedPromotion(db, { model, version: challenger, environment, promotionId: asked.promotionId });
        if (promotionId === null) {
          throw new PerdureError(
            'promotion/not-approved',
            `${model}@${challenger} has no approved promotion to ${environment}: start promoteModel {"model":"${model}","version":${challenger}} first.`,
          );
        }
        await openRollout(db, { id: asked.rolloutId, workflowId: asked.workflowId, environment, model, challenger, champion, promotionId });
      }
      const judged = champion !== null && champion !== challenger;
      const steps = judged ? policy.steps : policy.steps.slice(-1);
      return { policy, champion: champion === challenger ? null : champion, steps, judged };
    },

    setRolloutState: ({
      rolloutId,
      state,
      step,
      reason,
    }: {
      rolloutId: string;
      state: RolloutState;
      step: number;
      reason: string | null;
    }) => setRolloutState(db, rolloutId, state, step, reason),

    /** Puts a route in force; keyed, so that it is written once. @throws PerdureError `lease/lost`. */
    async writeRoute(write: {
      environment: Environment;
      model: string;
      split: Split;
      reason: string;
      idempotencyKey: string;
      lease: LeaseGrant;
    }): Promise<{ epoch: number }> {
      const { epoch } = await writeRoute(db, write);
      return { epoch };
    },

    /** One look of the judge at what gateways counted under the step's epoch. Stored with its inputs, under rollout and look. */
    async lookAtRollout(asked: LookQuestion): Promise<{ verdict: Verdict; summary: string }> {
      const { rolloutStep: step, judge: policy, looksMax: looksPlannedMax } = asked;
      const last = step.sharePct >= 100;
      const challenger = addWindows(await windows(asked, asked.challenger, asked.epoch, asked.epoch));
      const [from, to] = last ? [asked.previousEpoch, asked.epoch - 1] : [asked.epoch, asked.epoch];
      const champion = asked.champion === null || from === null ? null : addWindows(await windows(asked, asked.champion, from, to));
      const inputs = { policy, step, champion, challenger, looksPlannedMax };
      const judged = judgeStep(inputs);
      const result = await recordLook(db, { rolloutId: asked.rolloutId, look: asked.look, step: asked.step, inputs, result: judged });
      const reasons = result.metrics.filter((metric) => metric.verdict === result.verdict).map((metric) => metric.reason);
      return {
        verdict: result.verdict,
        summary: `${result.verdict} after ${challenger.requests} requests. ${result.waitsFor ?? reasons.join(' ')}`,
      };
    },

    /** The version that a rollback restores. @throws PerdureError `not-found` when there is none. */
    async planRollback(asked: { model: string; environment: Environment; to: number | null }): Promise<{ version: number }> {
      return { version: rollbackTarget(await routeHistory(db, asked.model, asked.environment), asked) };
    },
  };

  async function championNow(environment: Environment, model: string): Promise<number | null> {
    const route = await routeOf(db, environment, model);
    return route ? championOf(route.split) : null;
  }

  function windows({ environment, model }: LookQuestion, version: number, epochFrom: number, epochTo: number) {
    return windowsOf(db, { environment, model, version, epochFrom, epochTo });
  }
}

export type RolloutActivities = ReturnType<typeof createRolloutActivities>;
