import type { Contract } from '../data/contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { declaredClasses, quantilesOf, taskOf } from '../tasks/task-of.js';
import type { TaskName } from '../tasks/task.js';
import { nearestNames } from '../text/nearest-names.js';
import type { EvaluationPolicy, GateRule } from './evaluation-policy.js';
import { ownMetricSpecs } from './own-metric.js';
import type { MetricQualifier, MetricSpec } from '../metrics/metric.js';

export interface Gated {
  task?: TaskName | undefined;
  contract: Contract;
  evaluation: EvaluationPolicy;
}

/** What is wrong with one gate: a metric that cannot be measured, a bound that cannot fail or cannot pass. */
export function gateProblems(gate: GateRule, path: string, definition: Gated): DefinitionProblem[] {
  const spec = metricsOfModel(definition).find(({ name }) => name === gate.metric);
  if (spec === undefined) return [unknownMetric(gate.metric, `${path}.metric`, definition)];
  return [
    ...qualifierProblems(gate, spec, path, definition),
    ...unmeasurable(gate, `${path}.metric`, definition),
    ...boundProblems(gate, spec, path),
  ];
}

/** What may be asked of a model. */
const metricsOfModel = (definition: Gated): readonly MetricSpec[] => [
  ...taskOf(definition).metrics,
  ...ownMetricSpecs(definition.evaluation.metrics),
];

function unknownMetric(metric: string, path: string, definition: Gated): DefinitionProblem {
  const names = metricsOfModel(definition).map(({ name }) => name);
  const near = nearestNames(metric, names);
  const { name } = taskOf(definition);
  const has = names.length === 0 ? 'it has none: a model without a label' : `it has ${names.join(', ')}`;
  return {
    path,
    message: `the task ${name} has no metric ${metric}; ${near.length > 0 ? `the nearest is ${near[0]}; ` : ''}${has}`,
  };
}

const qualifiers: Record<MetricQualifier, string> = {
  k: 'how many rows of a group count',
  class: 'of which class',
  quantile: 'of which quantile',
};

function qualifierProblems(
  gate: GateRule,
  { name, takes }: MetricSpec,
  path: string,
  { contract }: Gated,
): DefinitionProblem[] {
  const problems: DefinitionProblem[] = [];
  for (const qualifier of ['k', 'class', 'quantile'] as const) {
    const given = gate[qualifier] !== undefined;
    if (given && takes?.qualifier !== qualifier)
      problems.push({ path: `${path}.${qualifier}`, message: `${name} has no ${qualifier}: leave it out` });
    if (!given && takes?.qualifier === qualifier && takes.need === 'must')
      problems.push({ path: `${path}.${qualifier}`, message: `is missing: ${name} must say ${qualifiers[qualifier]}` });
  }
  const classes = declaredClasses(contract.label);
  if (gate.class !== undefined && takes?.qualifier === 'class' && classes && !classes.includes(gate.class))
    problems.push({ path: `${path}.class`, message: `${gate.class} is none of the classes ${classes.join(', ')}` });
  const quantiles = quantilesOf(contract);
  if (gate.quantile !== undefined && takes?.qualifier === 'quantile' && !quantiles.includes(gate.quantile))
    problems.push({
      path: `${path}.quantile`,
      message: `the model does not answer with it; its quantiles are ${quantiles.join(', ') || 'none'}`,
    });
  return problems;
}

/** Metrics of a task that need more than its label: quantiles, costs, labels that are never 0. */
function unmeasurable({ metric }: GateRule, path: string, { contract, evaluation }: Gated): DefinitionProblem[] {
  const quantiles = quantilesOf(contract).length;
  const needed = { pinball: 1, intervalCoverage: 2, intervalWidth: 2 }[metric] ?? 0;
  if (quantiles < needed)
    return [{ path, message: `${metric} needs ${needed} quantiles: set contract.output.quantiles or intervalPct` }];
  if (metric === 'utility' && evaluation.costs === undefined)
    return [{ path, message: 'utility needs evaluation.costs: what each outcome costs' }];
  const { label } = contract;
  if (metric === 'mape' && label?.type === 'number' && !((label.min ?? 0) > 0 || (label.max ?? 0) < 0))
    return [
      {
        path,
        message:
          'mape divides by the label, so one label of 0 leaves it undefined: say that there is none by ' +
          'contract.label.min above 0, or ask smape, mae or a metric of your own',
      },
    ];
  return [];
}

function boundProblems(
  { metric, atLeast, atMost, worseThanChampionByAtMost }: GateRule,
  { least, greatest, better }: MetricSpec,
  path: string,
): DefinitionProblem[] {
  const never = (bound: string, value: number, why: string) => ({
    path: `${path}.${bound}`,
    message: `${metric} is ${rangeText(least, greatest)}: ${bound} ${value} ${why}`,
  });
  const perfect = 'passes only with no mistake at all';
  if (atLeast !== undefined) {
    if (atLeast <= least) return [never('atLeast', atLeast, 'could never fail')];
    if (atLeast > greatest) return [never('atLeast', atLeast, 'could never pass')];
    if (atLeast === greatest) return [never('atLeast', atLeast, perfect)];
    if (better === 'smaller')
      return [{ path: `${path}.atLeast`, message: `a smaller ${metric} is better: bound it by atMost` }];
  }
  if (atMost !== undefined) {
    if (atMost >= greatest) return [never('atMost', atMost, 'could never fail')];
    if (atMost < least) return [never('atMost', atMost, 'could never pass')];
    if (atMost === least) return [never('atMost', atMost, better === 'smaller' ? perfect : 'could hardly pass')];
  }
  if (worseThanChampionByAtMost !== undefined) {
    if (better === 'nearer')
      return [
        {
          path: `${path}.worseThanChampionByAtMost`,
          message:
            `neither a greater nor a smaller ${metric} is better: bound it by one gate with atLeast and ` +
            'one with atMost',
        },
      ];
    if (worseThanChampionByAtMost >= greatest - least)
      return [never('worseThanChampionByAtMost', worseThanChampionByAtMost, 'could never fail')];
  }
  return [];
}

function rangeText(least: number, greatest: number): string {
  if (least === -Infinity) return greatest === Infinity ? 'any number' : `${greatest} or less`;
  return greatest === Infinity ? `${least} or more` : `${least} to ${greatest}`;
}
