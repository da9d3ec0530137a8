import { PerdureError } from '../../domain/errors.js';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import { stageAt, type SettledRollout } from '../../domain/rollout/rollout-plan.js';
import { inconclusiveEnd, type InconclusiveEnd, type RolloutState } from '../../domain/rollout/move-after-look.js';
import { writerOfKey, type RouteWriter } from '../../domain/serving/route-writer.js';
import { rolesOf } from '../../domain/promotion/access.js';
import { readAccessFile } from '../../adapters/access-file.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import { routeOfStage } from '../../domain/rollout/strategy-stages.js';
import { planRollback, type RollbackPlan } from '../../domain/rollout/rollback-target.js';
import type { Split } from '../../domain/serving/route.js';
import { whyOtherRules, whyOtherSetBack } from '../../domain/promotion/rules-in-force.js';
import { rulesInForce } from '../../db/model/definition-queries.js';
import { approvedPromotion, decisionsOf } from '../../db/promotion/promotion-queries.js';
import { rolloutOutlook } from '../../db/rollout/rollout-facts.js';
import { championPast, setBackOf } from '../../db/rollout/champion-history.js';
import { carriedOutBy, openRollout, rolloutById, setRolloutState } from '../../db/rollout/rollout-queries.js';
import { writeRoute } from '../../db/serving/route-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { floorDigest } from '../../domain/promotion/floor.js';
import { readFloor } from '../promotion/environment-floor.js';
import { decisionTrust } from '../promotion/decision-trust.js';
import { writeOrder } from '../write-order.js';

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
export function createRolloutActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    /**
     * What the rollout does, settled once: a repeated call, after continue-as-new too, reads what the first one
     * recorded.
     */
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
      const promotion = await approvedPromotion(db, {
        model,
        version: challenger,
        environment,
        promotionId: asked.promotionId,
      });
      if (!promotion?.evidence) {
        throw new PerdureError(
          'promotion/not-approved',
          `${model}@${challenger} has no approved promotion to ${environment}: start promoteModel ` +
            `{"model":"${model}","version":${challenger}} first.`,
        );
      }
      const used = await carriedOutBy(db, promotion.id);
      if (used !== undefined && used.id !== asked.rolloutId)
        throw new PerdureError(
          'promotion/not-approved',
          `The promotion of ${model}@${challenger} to ${environment} was carried out by the rollout of ` +
            `${used.startedAt.toISOString()}, which is ${used.state}: an approval lets a version in once. ` +
            `Ask for another: perdure promote ${model}@${challenger}.`,
        );
      const { champion } = settled.parties;
      const stale =
        whyOtherRules(promotion.evidence, (await rulesInForce(db, model)).definition) ??
        whyOtherSetBack(promotion.evidence, await setBackOf(db, { environment, model, version: challenger })) ??
        (promotion.evidence.floorSha256 === floorDigest(await readFloor(config, environment))
          ? null
          : `what ${environment} asks of every definition was changed since`) ??
        (await decisionTrust(config).whyNotLetIn(promotion, await decisionsOf(db, promotion.id)));
      if (stale !== null)
        throw new PerdureError(
          'promotion/stale',
          `${model}@${challenger} was approved, but ${stale}. Ask for a promotion again.`,
        );
      // What was approved is this challenger in the place of that champion; while a rollout waited for its turn,
      // another may have come.
      if (champion !== null && champion !== promotion.evidence.champion)
        throw new PerdureError(
          'promotion/stale',
          `version ${champion} is champion in ${environment} now, it was ` +
            `${promotion.evidence.champion ?? 'none'} when ${model}@${challenger} was approved. Ask for a ` +
            'promotion again.',
        );
      if (notBefore !== null)
        throw new PerdureError(
          'rollout/refused',
          `The rollout of ${model}@${challenger} does not begin: its cut-over begins at ${notBefore}.`,
        );
      if (refused !== null)
        throw new PerdureError('rollout/refused', `The rollout of ${model}@${challenger} does not begin: ${refused}`);
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
    }) => setRolloutState(db, rolloutId, state, step, reason, writeOrder()),

    /**
     * Puts a route in force, that of a rollout's stage or a whole one; keyed, so that it is written once.
     * @throws PerdureError `lease/lost`.
     */
    async writeRoute({ target, ...asked }: RouteToWrite): Promise<{ epoch: number }> {
      const write = { ...asked, writtenBy: await writerOf({ target, ...asked }) };
      // Once a rollout has written its way back, a stage that was left behind, by a cancellation for example, comes too
      // late.
      const unlessWritten = 'stage' in target ? `${target.rolloutId}/back` : undefined;
      const { epoch } = await writeRoute(db, { ...write, ...(await targetOf(target)), unlessWritten });
      return { epoch };
    },

    /**
     * The version that a rollback restores, and whether that has been done already.
     * @throws PerdureError `not-found` when there is none.
     */
    async planRollback({ leaves = null, ...asked }: RollbackQuestion): Promise<RollbackPlan> {
      const { history, rollouts } = await championPast(db, asked.environment, asked.model);
      return planRollback(history, rollouts, { ...asked, leaves });
    },
  };

  /**
   * What writes the route, and with which roles its cause acted. An access file that cannot be read keeps nobody from
   * going back.
   */
  async function writerOf({ target, by, idempotencyKey }: RouteToWrite): Promise<RouteWriter | undefined> {
    const writer =
      'stage' in target ? { kind: 'stage' as const, rolloutId: target.rolloutId } : writerOfKey(idempotencyKey);
    if (!writer) return undefined;
    const access = by === undefined ? null : await readAccessFile(config.accessFile).catch(() => null);
    return { ...writer, actor: by?.actor ?? null, roles: by && access ? rolesOf(access, by.actor) : null };
  }

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
  /** Who advanced, aborted or rolled back; absent where the judge or the policy moves it. */
  by?: { actor: string };
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
