import type { Contract } from '../data/contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { quantilesOf, taskOf } from '../tasks/task-of.js';
import type { TaskName } from '../tasks/task.js';
import type { RolloutPolicy } from './rollout-policy.js';
import type { JudgedMetric } from './judge/judge-policy.js';
import { losses } from './judge/losses.js';

interface JudgedDefinition {
  task?: TaskName | undefined;
  contract: Contract;
  rollout: RolloutPolicy;
}

/** What a rollout asks of its judge that cannot be told of a model of this task. */
export function judgedTaskProblems(definition: JudgedDefinition): DefinitionProblem[] {
  return judgedMetrics(definition.rollout).flatMap(({ path, metric }) => {
    if (metric.metric === 'quality') return qualityProblems(definition, path, metric);
    return metric.metric === 'outcome' ? outcomeProblems(definition, path, metric) : [];
  });
}

/** Of the judge, of an A/B test and of the review by late labels. */
function judgedMetrics(rollout: RolloutPolicy): { path: string; metric: JudgedMetric }[] {
  if (rollout.strategy === 'direct') return [];
  const found: { path: string; metric: JudgedMetric }[] = rollout.judge.metrics.map((metric, index) => ({
    ...{ path: `rollout.judge.metrics[${index}]`, metric },
  }));
  if (rollout.strategy === 'ab') found.push({ path: 'rollout.outcome', metric: rollout.outcome });
  if (rollout.lateLabels) found.push({ path: 'rollout.lateLabels.metric', metric: rollout.lateLabels.metric });
  return found;
}

function qualityProblems(
  definition: JudgedDefinition,
  path: string,
  { loss, max, quantile }: Extract<JudgedMetric, { metric: 'quality' }>,
): DefinitionProblem[] {
  const task = taskOf(definition);
  if (!task.losses.includes(loss)) {
    const has = task.losses.length === 0 ? 'none, only value metrics' : task.losses.join(', ');
    return [{ path: `${path}.loss`, message: `${loss} is no loss of the task ${task.name}; it has ${has}` }];
  }
  const problems: DefinitionProblem[] = [];
  const needsMax = losses[loss].max === null;
  if (needsMax && max === undefined)
    problems.push({
      path: `${path}.max`,
      message: `is missing: the greatest ${loss} that counts${rangeHint(definition)}`,
    });
  if (!needsMax && max !== undefined)
    problems.push({
      path: `${path}.max`,
      message: `${loss} has bounds of its own (0 to ${losses[loss].max}): leave it out`,
    });
  const quantiles = quantilesOf(definition.contract);
  if (loss !== 'pinball' && quantile !== undefined)
    problems.push({ path: `${path}.quantile`, message: 'is for the loss pinball' });
  if (loss === 'pinball' && (quantile === undefined || !quantiles.includes(quantile)))
    problems.push({
      path: `${path}.quantile`,
      message: `must be one of the quantiles of contract.output: ${quantiles.join(', ') || 'there are none'}`,
    });
  return problems;
}

function outcomeProblems(
  definition: JudgedDefinition,
  path: string,
  { min, max }: Extract<JudgedMetric, { metric: 'outcome' }>,
): DefinitionProblem[] {
  const { name, outcome } = taskOf(definition);
  if (outcome === null)
    return [
      { path: `${path}.metric`, message: `labels of the task ${name} have no outcome to compare: use a value metric` },
    ];
  if (outcome === 'share')
    return min === undefined && max === undefined
      ? []
      : [
          {
            path: `${path}.${min === undefined ? 'max' : 'min'}`,
            message: 'is for labels that are numbers: leave it out',
          },
        ];
  if (min === undefined || max === undefined)
    return [
      {
        path: `${path}.${min === undefined ? 'min' : 'max'}`,
        message: `is missing: the bounds of the mean label${rangeHint(definition)}`,
      },
    ];
  return max > min ? [] : [{ path: `${path}.max`, message: `must be greater than min (${min})` }];
}

function rangeHint({ contract: { label } }: JudgedDefinition): string {
  if (label?.type !== 'number' || label.min === undefined || label.max === undefined) return '';
  return `; contract.label goes from ${label.min} to ${label.max}`;
}
