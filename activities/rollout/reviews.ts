import { PerdureError } from '../../domain/errors.js';
import { reviewLabels, type LateLabelReview } from '../../domain/rollout/late-label-review.js';
import type { Environment } from '../../domain/names.js';
import type { LateLabelsPolicy } from '../../domain/rollout/rollout-policy.js';
import { championOf } from '../../domain/serving/route.js';
import { recordLateReview, rolloutById, type RolloutRecord } from '../../db/rollout/rollout-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Database } from '../../db/connect.js';
import { createLabelledPredictions } from './labelled-predictions.js';

interface Review {
  model: string;
  environment: Environment;
  version: number;
  lookEveryMs: number;
  giveUpAfterMs: number;
  onFail: LateLabelsPolicy['onFail'];
}

/** The last word of late labels on a rollout that is over. */
export function createReviewActivities(deps: ActivityDependencies) {
  const { db } = deps;
  const labelled = createLabelledPredictions(deps);
  return {
    async planReview({ rolloutId }: { rolloutId: string }): Promise<Review> {
      const { rollout, late } = await reviewed(db, rolloutId);
      const { model, environment, challenger: version } = rollout;
      const hourMs = 3_600_000;
      const times = { lookEveryMs: late.lookEveryHours * hourMs, giveUpAfterMs: late.giveUpAfterHours * hourMs };
      return { model, environment, version, ...times, onFail: late.onFail };
    },

    /**
     * Judges the predictions of the rollout whose labels have come. Undecided until enough have; at the last look what
     * is there decides.
     */
    async lookAtLabels({
      rolloutId,
      last,
    }: {
      rolloutId: string;
      look: number;
      last: boolean;
    }): Promise<{ decided: boolean; word: LateLabelReview }> {
      const { rollout, late } = await reviewed(db, rolloutId);
      const arms = await labelled.of(rollout, late);
      return reviewLabels(late, arms, { last, at: new Date().toISOString() });
    },

    recordLastWord: ({ rolloutId, word }: { rolloutId: string; word: LateLabelReview }) =>
      recordLateReview(db, rolloutId, word),

    /** The epoch under which a version is champion now; null when it is not any more. */
    async epochToLeave({
      environment,
      model,
      version,
    }: {
      environment: Environment;
      model: string;
      version: number;
    }): Promise<number | null> {
      const route = await routeOf(db, environment, model);
      return route && championOf(route.split) === version ? route.epoch : null;
    },
  };
}

export type ReviewActivities = ReturnType<typeof createReviewActivities>;

async function reviewed(db: Database, rolloutId: string): Promise<{ rollout: RolloutRecord; late: LateLabelsPolicy }> {
  const rollout = await rolloutById(db, rolloutId);
  if (!rollout?.settled)
    throw new PerdureError(
      'not-found',
      `rolloutId: no rollout has the id ${rolloutId}. \`perdure rollout status MODEL\` shows the newest.`,
    );
  const late = rollout.settled.policy.lateLabels;
  if (!late)
    throw new PerdureError(
      'state/conflict',
      `the policy of rollout ${rolloutId} has no lateLabels: there is nothing to wait for`,
    );
  return { rollout, late };
}
