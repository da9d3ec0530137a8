import { PerdureError } from '../domain/errors.js';
import type { LeaseGrant } from '../domain/lease.js';
import type { Environment } from '../domain/names.js';
import { stageAt, type SettledRollout } from '../domain/rollout-plan.js';
import { inconclusiveEnd, type InconclusiveEnd, type RolloutState } from '../domain/rollout.js';
import { routeOfStage, type RolloutStage } from '../domain/rollout-stage.js';
import { planRollback, type RollbackPlan } from '../domain/rollback-target.js';
import type { Split } from '../domain/route.js';
import { whyOtherRules } from '../domain/rules.js';
import { rulesInForce } from '../db/definition-queries.js';
import { approvedPromotion } from '../db/promotion-queries.js';
import { rolloutOutlook } from '../db/rollout-facts.js';
import { openRollout, rolloutById, setRolloutState } from '../db/rollout-queries.js';
import { routeHistory, writeRoute } from '../db/route-queries.js';
import type { ActivityDependencies } from './dependencies.js';
import { turn } from './turn.js';

/** What the workflow must know of a settled rollout; testers and metrics stay in Postgres. */
export interface PlannedRollout {
  champion: number | null;
  stages: (RolloutStage & { onInconclusive: InconclusiveEnd })[];
  lookEverySeconds: number;
  acknowledgeWithinSeconds: number;
  /** Whether late labels are asked for a last word. */
  lateLabels: boolean;
  /** One sentence on each stage that was lengthened so that it can see the harm that the policy names. */
  changes: string[];
}

/** Routes, and what a rollout or rollback is to do. */
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
      alsoShadow: readonly number[];
    }): Promise<PlannedRollout> {
      const known = await rolloutById(db, asked.rolloutId);
      if (known?.settled) return planned(known.settled);
      const { model, challenger, environment } = asked;
      const { settled, changes, notBefore, refused } = await rolloutOutlook(db, asked);
      const promotion = await approvedPromotion(db, { model, version: challenger, environment, promotionId: asked.promotionId });
      if (!promotion?.evidence) {
        throw new PerdureError(
          'promotion/not-approved',
          `${model}@${challenger} has no approved promotion to ${environment}: start promoteModel {"model":"${model}","version":${challenger}} first.`,
        );
      }
      const { champion } = settled.parties;
      const otherRules = whyOtherRules(promotion.evidence, (await rulesInForce(db, model)).definition);
      if (otherRules !== null)
        throw new PerdureError(
          'promotion/stale',
          `${model}@${challenger} was approved under other rules: ${otherRules}. Ask for a promotion again.`,
        );
      // What was approved is this challenger in the place of that champion; while a rollout waited for its turn, another may have come.
      if (champion !== null && champion !== promotion.evidence.champion)
        throw new PerdureError(
          'promotion/stale',
          `version ${champion} is champion in ${environment} now, it was ${promotion.evidence.champion ?? 'none'} when ${model}@${challenger} was approved. Ask for a promotion again.`,
        );
      if (notBefore !== null)
        throw new PerdureError(
          'rollout/refused',
          `The rollout of ${model}@${challenger} does not begin: its cut-over begins at ${notBefore}.`,
        );
      if (refused !== null) throw new PerdureError('rollout/refused', `The rollout of ${model}@${challenger} does not begin: ${refused}`);
      const stored = await openRollout(db, {
        id: asked.rolloutId,
        workflowId: asked.workflowId,
        environment,
        model,
        challenger,
        champion,
        promotionId: promotion.id,
        settled,
      });
      return planned(stored, changes);
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
    }) => setRolloutState(db, rolloutId, state, step, reason, turn()),

    /** Puts a route in force, that of a rollout's stage or a whole one; keyed, so that it is written once. @throws PerdureError `lease/lost`. */
    async writeRoute({ target, ...write }: RouteToWrite): Promise<{ epoch: number }> {
      // Once a rollout has written its way back, a stage that was left behind, by a cancellation for example, comes too late.
      const unlessWritten = 'stage' in target ? `${target.rolloutId}/back` : undefined;
      const { epoch } = await writeRoute(db, { ...write, ...(await targetOf(target)), unlessWritten });
      return { epoch };
    },

    /** The version that a rollback restores, and whether that has been done already. @throws PerdureError `not-found` when there is none. */
    async planRollback({ leaves = null, ...asked }: RollbackQuestion): Promise<RollbackPlan> {
      return planRollback(await routeHistory(db, asked.model, asked.environment), { ...asked, leaves });
    },
  };

  async function targetOf(target: RouteToWrite['target']) {
    if ('split' in target) return target;
    const rollout = await rolloutById(db, target.rolloutId);
    if (!rollout?.settled) throw new PerdureError('not-found', `rollout ${target.rolloutId} was never settled`);
    return routeOfStage(stageAt(rollout.settled, target.stage), rollout.settled.parties);
  }
}

export type RolloutActivities = ReturnType<typeof createRolloutActivities>;

interface RollbackQuestion {
  model: string;
  environment: Environment;
  to: number | null;
  /** The epoch that was in force when the rollback was asked for. Absent in questions of version 0.1.0. */
  leaves?: number | null;
}

export interface RouteToWrite {
  environment: Environment;
  model: string;
  target: { split: Split } | { rolloutId: string; stage: number };
  reason: string;
  idempotencyKey: string;
  lease: LeaseGrant;
}

function planned({ policy, parties, stages }: SettledRollout, changes: string[] = []): PlannedRollout {
  const { lookEverySeconds, acknowledgeWithinSeconds, lateLabels } = policy;
  return {
    champion: parties.champion,
    stages: stages.map((stage) => ({ ...stage, onInconclusive: inconclusiveEnd(policy, stage) })),
    ...{ lookEverySeconds, acknowledgeWithinSeconds },
    lateLabels: lateLabels !== undefined && parties.champion !== null,
    changes,
  };
}
