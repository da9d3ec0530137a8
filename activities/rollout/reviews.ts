import type { ServedOutcomes } from '../../adapters/data-engine/prediction-log/served-outcomes.js';
import { PerdureError } from '../../domain/errors.js';
import { judgeStage, type Observed } from '../../domain/rollout/judge/judge.js';
import type { LateLabelReview } from '../../domain/rollout/late-label-review.js';
import type { Environment } from '../../domain/names.js';
import type { LateLabelsPolicy } from '../../domain/rollout/rollout-policy.js';
import { championOf } from '../../domain/serving/route.js';
import { addWindows } from '../../domain/serving/serving-totals.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { recordLateReview, rolloutById, type RolloutRecord } from '../../db/rollout/rollout-queries.js';
import { epochsOfStages, routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { createLoggedOutcomes } from './logged-outcomes.js';

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
  const outcomes = createLoggedOutcomes(deps);
  return {
    async planReview({ rolloutId }: { rolloutId: string }): Promise<Review> {
      const { rollout, late } = await reviewed(rolloutId);
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
      const { rollout, late } = await reviewed(rolloutId);
      const { champion, challenger } = rollout;
      const counts = await countedUnder(rollout, late);
      const [theirs, ours] = [armOf(counts, champion), armOf(counts, challenger)];
      const coveragePct = Math.min(...[theirs, ours].map((arm) => (100 * arm.labelled) / Math.max(1, arm.predictions)));
      const covered = coveragePct >= late.coveragePct;
      const word = (verdict: LateLabelReview['verdict'], reason: string): LateLabelReview => ({
        verdict,
        reason,
        coveragePct,
        at: new Date().toISOString(),
      });
      if (!covered) {
        const reason =
          `${coveragePct.toFixed(1)} % of the predictions of the rollout have a label, ` +
          `${late.coveragePct} % are needed.`;
        return { decided: last, word: word('no-data', reason) };
      }
      const { verdict, metrics, waitsFor } = judgeStage({
        policy: { alpha: late.alpha, metrics: [late.metric], unseenHarm: 'stretch' },
        alpha: late.alpha,
        stage: { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 },
        ...{ outcome: null, horizon: null, coldRequests: 0, champion: theirs.observed, challenger: ours.observed },
      });
      const reason = waitsFor ?? metrics.map((metric) => metric.reason).join(' ');
      return { decided: last || verdict === 'pass' || verdict === 'fail', word: word(verdict, reason) };
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

  async function reviewed(rolloutId: string): Promise<{ rollout: RolloutRecord; late: LateLabelsPolicy }> {
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

  /**
   * Predictions of the stages in which both versions answered the same minutes; of a rollout without such, what each
   * answered before and after.
   */
  async function countedUnder(rollout: RolloutRecord, { metric }: LateLabelsPolicy): Promise<ServedOutcomes[]> {
    const { settled, environment, model, challenger, startedAt, id } = rollout;
    if (!settled) return [];
    const { contract } = await definitionByDigest(db, (await versionOf(db, model, challenger)).definitionSha256);
    const stages = await epochsOfStages(db, id, settled.stages.length);
    const compared = stages
      .filter(({ stage }) => settled.stages[stage]?.comparison === 'same-minutes')
      .map(({ epoch }) => epoch);
    const all = stages.map(({ epoch }) => epoch);
    const epochs = compared.length > 0 ? compared : [settled.epochBefore ?? Math.min(...all), ...all];
    // An hour earlier, for clocks that differ; the epochs say what belongs to the rollout.
    const from = new Date(startedAt.getTime() - 3_600_000);
    return outcomes.count({
      ...{ environment, model, contract, from, metrics: [metric] },
      ...{ epochFrom: Math.min(...epochs), epochTo: Math.max(...epochs) },
    });
  }

  function armOf(
    counts: readonly ServedOutcomes[],
    version: number | null,
  ): { predictions: number; labelled: number; observed: Observed } {
    const mine = counts.filter((one) => one.version === version && one.role !== 'override');
    // Shadow answers and answers given are both what the version said of the same requests.
    const samples: Observed['samples'] = {};
    for (const { samples: more } of mine)
      for (const [name, { count, sum }] of Object.entries(more))
        samples[name] = { count: (samples[name]?.count ?? 0) + count, sum: (samples[name]?.sum ?? 0) + sum };
    const total = (part: 'predictions' | 'labelled') => mine.reduce((sum, one) => sum + one[part], 0);
    const observed = { ...addWindows([]), requests: total('predictions'), samples };
    return { predictions: total('predictions'), labelled: total('labelled'), observed };
  }
}

export type ReviewActivities = ReturnType<typeof createReviewActivities>;
