import { modelInputs } from '../../domain/data/feature/model-inputs.js';
import { measureSettings } from '../../domain/evaluation/measure-settings.js';
import type { PermutationImportances } from '../../domain/evaluation/importances.js';
import type { ScoredRows } from '../../domain/metrics/measurer.js';
import { metricOfKey } from '../../domain/metrics/metric.js';
import { seededRandom } from '../../domain/statistics/random.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import type { OutputSignature } from '../../domain/tasks/task.js';
import type { EvaluationRequest } from './evaluation-request.js';
import type { InputColumn } from './model-session.js';
import type { Scorer } from './scorer.js';
import { joinedColumns, permutation, pickRows, type RowSample } from './row-sample.js';

/** What bounds the work: features, and how often each is permuted. */
const featuresMax = 200;
const repeats = 5;

interface Asked {
  request: EvaluationRequest;
  signature: OutputSignature;
  threshold: number;
  scorer: Scorer;
  sample: RowSample;
  rows: ScoredRows;
  seed: number;
}

/**
 * How much worse the main metric of the task gets on a sample of the holdout when the values of a feature are dealt out
 * to other rows; as scikit-learn's `permutation_importance`. Undefined where nothing is measured.
 */
export async function permutationImportances(
  { request, signature, threshold, scorer, sample, rows, seed }: Asked,
  report: (donePct: number) => void,
): Promise<PermutationImportances | undefined> {
  const task = taskOf(request);
  const [metric] = task.headline;
  if (metric === undefined) return undefined;
  const sampled = sample.labelled(rows);
  const columns = joinedColumns(sample.columns);
  const count = sample.rows.length;
  const settings = measureSettings(request.policy, signature, threshold);
  const smaller = task.metrics.find(({ name }) => name === metricOfKey(metric))?.better === 'smaller';
  const measured = async (given: Record<string, InputColumn>): Promise<number> => {
    const scores = await scorer.score(given, count);
    const value = task.measurer({ ...sampled, scores, width: scorer.width }, settings).measure()[metric] ?? Number.NaN;
    return smaller ? -value : value;
  };
  const whole = await measured(columns);
  if (!Number.isFinite(whole)) return undefined;
  const random = seededRandom(seed);
  const features = Object.entries(request.contract.features).slice(0, featuresMax);
  const found: PermutationImportances['features'] = [];
  for (const [index, [name, feature]] of features.entries()) {
    const inputs = modelInputs(name, feature).filter((input) => columns[input.name] !== undefined);
    let drop = 0;
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const order = permutation(count, random);
      const dealt = inputs.map(({ name: input }) => [input, pickRows(columns[input] ?? [], order, count)] as const);
      drop += whole - (await measured({ ...columns, ...Object.fromEntries(dealt) }));
    }
    found.push({ feature: name, drop: drop / repeats });
    report((100 * (index + 1)) / features.length);
  }
  return {
    ...{ metric, rows: count, repeats, features: found },
    leftOut: Object.keys(request.contract.features).length - features.length,
  };
}
