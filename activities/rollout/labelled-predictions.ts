import type { ServedOutcomes } from '../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { Observed } from '../../domain/rollout/judge/judge.js';
import type { LateLabelsPolicy } from '../../domain/rollout/rollout-policy.js';
import { addWindows } from '../../domain/serving/serving-totals.js';
import type { RolloutRecord } from '../../db/rollout/rollout-queries.js';
import { epochsOfStages } from '../../db/serving/route-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { answeredLog } from './answered-log.js';
import { createLoggedOutcomes } from './logged-outcomes.js';
import type { LabelledArm } from '../../domain/rollout/late-label-review.js';

/** What both versions of a rollout that is over answered, and what labels say of it by now. */
export function createLabelledPredictions(deps: ActivityDependencies) {
  const { db } = deps;
  const outcomes = createLoggedOutcomes(deps);
  return {
    async of(
      rollout: RolloutRecord,
      late: LateLabelsPolicy,
    ): Promise<{ champion: LabelledArm; challenger: LabelledArm }> {
      const counts = await countedUnder(rollout, late);
      return { champion: armOf(counts, rollout.champion), challenger: armOf(counts, rollout.challenger) };
    },
  };

  /**
   * Predictions of the stages in which both versions answered the same minutes; of a rollout without such, what each
   * answered before and after.
   */
  async function countedUnder(rollout: RolloutRecord, { metric }: LateLabelsPolicy): Promise<ServedOutcomes[]> {
    const { settled, environment, model, challenger, startedAt, id } = rollout;
    if (!settled) return [];
    const log = await answeredLog(db, model, [challenger, ...(rollout.champion === null ? [] : [rollout.champion])]);
    const stages = await epochsOfStages(db, id, settled.stages.length);
    const compared = stages
      .filter(({ stage }) => settled.stages[stage]?.comparison === 'same-minutes')
      .map(({ epoch }) => epoch);
    const all = stages.map(({ epoch }) => epoch);
    const epochs = compared.length > 0 ? compared : [settled.epochBefore ?? Math.min(...all), ...all];
    // An hour earlier, for clocks that differ; the epochs say what belongs to the rollout.
    const from = new Date(startedAt.getTime() - 3_600_000);
    return outcomes.count({
      ...{ ...log, environment, model, from, metrics: [metric] },
      ...{ epochFrom: Math.min(...epochs), epochTo: Math.max(...epochs) },
    });
  }
}

function armOf(counts: readonly ServedOutcomes[], version: number | null): LabelledArm {
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
