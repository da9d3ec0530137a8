import { taskOf } from '../tasks/task-of.js';
import type { TaskName } from '../tasks/task.js';
import type { Scored } from '../metrics/measured.js';
import type { EvaluationPolicy } from './evaluation-policy.js';
import type { GateResult } from './gate-result.js';
import { metricTitle } from '../metrics/metric-catalogue.js';

export const plausibleGateName = 'not too good to be true';

/** The feature that a model uses most. */
export interface LeadingFeature {
  feature: string;
  /** Of the whole gain. */
  share: number;
}

/** None for a score that a model may have; else it fails, or passes where the definition accepts the score. */
export function plausibleGate(
  { task, evaluation }: { task?: TaskName | undefined; evaluation: EvaluationPolicy },
  { rows, metrics, intervals }: Scored,
  leading: LeadingFeature | undefined,
): GateResult[] {
  const { implausible } = taskOf({ task });
  const value = implausible === undefined ? null : (metrics[implausible.key] ?? null);
  if (implausible === undefined || value === null || !(value >= implausible.from) || rows < implausible.rowsMin)
    return [];
  const gate = {
    name: plausibleGateName,
    metric: implausible.key,
    value,
    interval: intervals[implausible.key] ?? null,
    bound: `below ${implausible.from}`,
  };
  const seen = `${metricTitle(implausible.key)} ${value.toFixed(5)} suggests that the label leaks into the features`;
  if (evaluation.implausiblyGood === 'accept')
    return [{ ...gate, outcome: 'pass', reason: `${seen}; evaluation.implausiblyGood accepts it.` }];
  const most =
    leading && leading.share > 0
      ? ` The most important feature is ${leading.feature} (${(100 * leading.share).toFixed(1)} % of all importance).`
      : '';
  const next =
    'Remove the feature that is only known afterwards, or, if the problem really is that easy, set ' +
    'evaluation.implausiblyGood to "accept".';
  return [{ ...gate, outcome: 'fail', reason: `${seen}.${most} ${next}` }];
}
