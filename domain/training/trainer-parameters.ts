import type { DefinitionProblem } from '../definition-problem.js';
import type { Task } from '../tasks/task.js';
import { nearestNames } from '../text/nearest-names.js';
import type { TrainingPolicy } from './training-policy.js';

interface NumberParameter {
  kind: 'whole' | 'number';
  low: number;
  high: number;
}
export type TrainerParameter = NumberParameter | { kind: 'boolean' } | { kind: 'choice'; choices: readonly string[] };

const whole = (low: number, high: number): TrainerParameter => ({ kind: 'whole', low, high });
const number = (low: number, high: number): TrainerParameter => ({ kind: 'number', low, high });

/**
 * What each trainer declares, as `trainers/tabular` does; a test compares the two. So a plan refuses what the trainer
 * would refuse, before any data is read.
 */
export const trainerParameters = {
  lightgbm: {
    num_iterations: whole(1, 10_000),
    num_leaves: whole(2, 4096),
    learning_rate: number(1e-6, 1),
    max_depth: whole(-1, 64),
    min_data_in_leaf: whole(0, 1_000_000),
    min_sum_hessian_in_leaf: number(0, 1e6),
    min_gain_to_split: number(0, 1e6),
    max_bin: whole(2, 65_535),
    feature_fraction: number(0.01, 1),
    bagging_fraction: number(0.01, 1),
    bagging_freq: whole(0, 1000),
    lambda_l1: number(0, 1e6),
    lambda_l2: number(0, 1e6),
    path_smooth: number(0, 1e6),
    extra_trees: { kind: 'boolean' },
    scale_pos_weight: number(1e-6, 1e6),
  },
  xgboost: {
    num_boost_round: whole(1, 10_000),
    learning_rate: number(1e-6, 1),
    max_depth: whole(0, 64),
    max_leaves: whole(0, 4096),
    grow_policy: { kind: 'choice', choices: ['depthwise', 'lossguide'] },
    min_child_weight: number(0, 1e6),
    max_bin: whole(2, 65_535),
    subsample: number(0.01, 1),
    colsample_bytree: number(0.01, 1),
    gamma: number(0, 1e6),
    reg_alpha: number(0, 1e6),
    reg_lambda: number(0, 1e6),
    max_delta_step: number(0, 1e6),
    scale_pos_weight: number(1e-6, 1e6),
  },
  catboost: {
    iterations: whole(1, 10_000),
    learning_rate: number(1e-6, 1),
    depth: whole(1, 12),
    l2_leaf_reg: number(0, 1e6),
    border_count: whole(1, 65_535),
    random_strength: number(0, 1e6),
    bagging_temperature: number(0, 1e6),
    rsm: number(0.01, 1),
    scale_pos_weight: number(1e-6, 1e6),
  },
  'hist-gradient-boosting': {
    max_iter: whole(1, 10_000),
    learning_rate: number(1e-6, 1),
    max_leaf_nodes: whole(2, 4096),
    max_depth: whole(0, 64),
    min_samples_leaf: whole(1, 1_000_000),
    l2_regularization: number(0, 1e6),
    max_features: number(0.01, 1),
    max_bins: whole(2, 255),
  },
  'logistic-regression': { C: number(1e-6, 1e6), max_iter: whole(1, 100_000) },
  ridge: { alpha: number(1e-6, 1e6) },
} as const satisfies Record<string, Record<string, TrainerParameter>>;

/** Only these know a weight of the positive class. */
const ofClassifiers: ReadonlySet<string> = new Set(['scale_pos_weight']);

/** Parameters that the trainer would refuse: unknown names, and values that it cannot take. */
export function parameterProblems(
  { algorithm, parameters }: Pick<TrainingPolicy, 'algorithm' | 'parameters'>,
  { labelsAreClasses }: Pick<Task, 'labelsAreClasses'>,
): DefinitionProblem[] {
  const declared = declaredFor(algorithm, parameters['estimator'], labelsAreClasses);
  return Object.entries(parameters).flatMap(([name, value]) => {
    const path = `training.parameters.${name}`;
    const parameter = declared.get(name);
    if (!parameter) {
      const near = nearestNames(name, [...declared.keys()]);
      const known = [...declared.keys()].sort().join(', ');
      return [
        {
          path,
          message:
            `${algorithm} has no such parameter${near.length > 0 ? `; the nearest is ${near[0]}` : ''}. It ` +
            `knows ${known}`,
        },
      ];
    }
    const asked = whyNot(parameter, value);
    return asked === null ? [] : [{ path, message: `is ${JSON.stringify(value)}; it must be ${asked}` }];
  });
}

function declaredFor(
  algorithm: TrainingPolicy['algorithm'],
  estimator: unknown,
  labelsAreClasses: boolean,
): Map<string, TrainerParameter> {
  if (algorithm !== 'sklearn') {
    const all = Object.entries(trainerParameters[algorithm]);
    return new Map(all.filter(([name]) => labelsAreClasses || !ofClassifiers.has(name)));
  }
  const estimators = ['hist-gradient-boosting', labelsAreClasses ? 'logistic-regression' : 'ridge'] as const;
  const chosen = estimators.find((name) => name === estimator) ?? 'hist-gradient-boosting';
  return new Map<string, TrainerParameter>([
    ['estimator', { kind: 'choice', choices: estimators }],
    ...Object.entries(trainerParameters[chosen]),
  ]);
}

function whyNot(parameter: TrainerParameter, value: unknown): string | null {
  switch (parameter.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'choice':
      return parameter.choices.some((choice) => choice === value) ? null : `one of ${parameter.choices.join(', ')}`;
    case 'whole':
    case 'number': {
      const { low, high, kind } = parameter;
      const right =
        typeof value === 'number' &&
        Number.isFinite(value) &&
        value >= low &&
        value <= high &&
        (kind === 'number' || Number.isInteger(value));
      return right ? null : `a ${kind === 'whole' ? 'whole ' : ''}number from ${low} to ${high}`;
    }
  }
}
