import type { DefinitionProblem } from '../definition-problem.js';
import { metricName, type JudgedMetric } from './judge/judge-policy.js';
import { lossMax } from './judge/metric-spec.js';
import type { MonitoringPolicy } from '../monitoring/monitoring-policy.js';
import type { RolloutPolicy } from './rollout-policy.js';
import { latencyBoundsMs } from '../serving/serving-window.js';

/**
 * What is wrong with a rollout beyond its shape: stages that end before they may pass, metrics whose harm cannot be,
 * waits that end before they begin.
 */
export function rolloutProblems(rollout: RolloutPolicy, monitoring: MonitoringPolicy): DefinitionProblem[] {
  return [...stageProblems(rollout), ...metricProblems(rollout), ...lateLabelProblems(rollout, monitoring)];
}

function stageProblems(rollout: RolloutPolicy): DefinitionProblem[] {
  const stages = stagesWithPaths(rollout);
  return stages.flatMap(({ path, maxPath, minSeconds, maxSeconds }) => {
    const problems: DefinitionProblem[] = [];
    if (minSeconds > maxSeconds)
      problems.push({
        path: `${path}.minSeconds`,
        message: `${minSeconds} is more than ${maxPath} (${maxSeconds}): the stage would end before it can pass`,
      });
    if (rollout.lookEverySeconds > maxSeconds)
      problems.push({
        path: 'rollout.lookEverySeconds',
        message:
          `${rollout.lookEverySeconds} is more than ${path}'s ${maxPath} (${maxSeconds}): there would be ` +
          'no look before it ends',
      });
    return problems;
  });
}

function stagesWithPaths(
  rollout: RolloutPolicy,
): { path: string; maxPath: string; minSeconds: number; maxSeconds: number }[] {
  const maxPath = 'maxSeconds';
  const stepsOf = (steps: readonly { minSeconds: number; maxSeconds: number }[]) =>
    steps.map((step, index) => ({ ...step, path: `rollout.steps[${index}]`, maxPath }));
  switch (rollout.strategy) {
    case 'canary':
      return stepsOf(rollout.steps);
    case 'shadow':
      return [
        { path: 'rollout', maxPath, minSeconds: rollout.minSeconds, maxSeconds: rollout.maxSeconds },
        ...stepsOf(rollout.steps),
      ];
    case 'blue-green':
      return [{ ...rollout.bake, path: 'rollout.bake', maxPath }];
    case 'ab':
      return [
        {
          path: 'rollout',
          maxPath: 'horizon.maxSeconds',
          minSeconds: rollout.minSeconds,
          maxSeconds: rollout.horizon.maxSeconds,
        },
      ];
    case 'direct':
      return [];
    default:
      return rollout satisfies never;
  }
}

function metricProblems(rollout: RolloutPolicy): DefinitionProblem[] {
  if (rollout.strategy === 'direct') return [];
  const problems = rollout.judge.metrics.flatMap((metric, index) =>
    harmProblems(metric, `rollout.judge.metrics[${index}]`),
  );
  if (rollout.lateLabels) problems.push(...harmProblems(rollout.lateLabels.metric, 'rollout.lateLabels.metric'));
  if (rollout.strategy !== 'ab') return problems;
  const { outcome, horizon, judge } = rollout;
  problems.push(...harmProblems(outcome, 'rollout.outcome'));
  if ('minLabels' in outcome && outcome.minLabels > horizon.observations)
    problems.push({
      path: 'rollout.outcome.minLabels',
      message:
        `is more than horizon.observations (${horizon.observations}): ` + `the test would end before it can be judged`,
    });
  const twin = judge.metrics.find((metric) => metric.metric === 'value' && metricName(metric) === metricName(outcome));
  if (twin?.metric === 'value' && outcome.metric === 'value' && twin.from !== outcome.from)
    problems.push({
      path: 'rollout.outcome.name',
      message: `${outcome.name} is also a metric of the judge, with another expression: rename one of them`,
    });
  return problems;
}

/** The greatest difference of two means, in the metric's unit. */
function greatestDifference(metric: JudgedMetric): number {
  if (metric.metric === 'value') return metric.max - metric.min;
  if (metric.metric === 'quality') return lossMax(metric);
  return 'harmPct' in metric ? 100 : 1;
}

function harmProblems(metric: JudgedMetric, path: string): DefinitionProblem[] {
  const [harm, name] = 'harmPct' in metric ? [metric.harmPct, 'harmPct'] : [metric.harm, 'harm'];
  const greatest = greatestDifference(metric);
  const problems: DefinitionProblem[] = [];
  if (harm > greatest)
    problems.push({
      path: `${path}.${name}`,
      message: `two means of ${metricName(metric)} differ by at most ${greatest}: a harm of ${harm} can never be seen`,
    });
  const slowest = latencyBoundsMs.at(-1) ?? Infinity;
  if (metric.metric === 'slowShare' && metric.limitMs > slowest)
    problems.push({
      path: `${path}.limitMs`,
      message: `gateways measure latency only up to ${slowest} ms`,
    });
  return problems;
}

function lateLabelProblems(
  { lateLabels }: RolloutPolicy,
  { retentionDays, labelDelayMaxDays }: MonitoringPolicy,
): DefinitionProblem[] {
  const problems: DefinitionProblem[] = [];
  if (labelDelayMaxDays > retentionDays)
    problems.push({
      path: 'monitoring.labelDelayMaxDays',
      message: `is more than retentionDays (${retentionDays}): predictions would be deleted before their labels arrive`,
    });
  if (!lateLabels) return problems;
  const { lookEveryHours, giveUpAfterHours } = lateLabels;
  if (lookEveryHours > giveUpAfterHours)
    problems.push({
      path: 'rollout.lateLabels.lookEveryHours',
      message: `is more than giveUpAfterHours (${giveUpAfterHours}): there would be no look before the review gives up`,
    });
  if (giveUpAfterHours > retentionDays * 24)
    problems.push({
      path: 'rollout.lateLabels.giveUpAfterHours',
      message: `is more than monitoring.retentionDays (${retentionDays} days): predictions would be deleted by then`,
    });
  return problems;
}
