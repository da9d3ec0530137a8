import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import { inconclusiveEnd, type InconclusiveEnd, type RolloutState } from '../../domain/rollout/move-after-look.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import { planRollback, type RollbackPlan } from '../../domain/rollout/rollback-target.js';
import { rolloutOutlook } from '../../db/rollout/rollout-facts.js';
import { pastOfRollback } from '../../db/rollout/champion-history.js';
import { openRollout, rolloutById, setRolloutState } from '../../db/rollout/rollout-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { approvalOfRollout } from './rollout-approval.js';
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

/** What a rollout or rollback is to do, and the state of a rollout. */
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
      const promotion = await approvalOfRollout({ db, config }, asked, settled.parties.champion);
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
        champion: settled.parties.champion,
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
     * The version that a rollback restores, and whether that has been done already.
     * @throws PerdureError `not-found` when there is none.
     */
    async planRollback({ leaves = null, ...asked }: RollbackQuestion): Promise<RollbackPlan> {
      return planRollback(...(await pastOfRollback(db, { ...asked, leaves })), { ...asked, leaves });
    },
  };
}

export type RolloutActivities = ReturnType<typeof createRolloutActivities>;

interface RollbackQuestion {
  model: string;
  environment: Environment;
  to: number | null;
  /** The epoch that was in force when the rollback was asked for. Absent in questions of version 0.1.0. */
  leaves?: number | null;
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
