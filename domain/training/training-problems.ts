import type { Contract } from '../data/contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { quantilesOf, taskOf } from '../tasks/task-of.js';
import type { TaskName } from '../tasks/task.js';
import { parameterProblems } from './trainer-parameters.js';
import type { TrainingPolicy } from './training-policy.js';

interface TrainedDefinition {
  task?: TaskName | undefined;
  contract: Contract;
  training: TrainingPolicy;
}

/** What the built-in trainers cannot do of what a definition asks: another task, or parameters that they do not know. */
export function trainingProblems(definition: TrainedDefinition): DefinitionProblem[] {
  const { contract, training } = definition;
  // A program of the team's own knows its task and its parameters itself.
  if (training.program !== undefined) return [];
  const task = taskOf(definition);
  if (task.labelTypes.length === 0)
    return [
      {
        path: 'training.algorithm',
        message:
          `${training.algorithm} learns from labels, and the task ${task.name} has none: train with a program of ` +
          'your own',
      },
    ];
  const problems = [...featureTypeProblems(contract), ...parameterProblems(training, task)];
  if (training.parameters['estimator'] === 'ridge' && quantilesOf(contract).length > 0)
    problems.push({
      path: 'training.parameters.estimator',
      message:
        'ridge answers no quantiles: use hist-gradient-boosting, lightgbm or xgboost, or leave contract.output out',
    });
  return problems;
}

function featureTypeProblems({ features }: Contract): DefinitionProblem[] {
  return Object.entries(features)
    .filter(([, { type }]) => type === 'text' || type === 'list')
    .map(([name, { type }]) => ({
      path: `contract.features.${name}.type`,
      message: `a ${type} is nothing that the built-in trainers learn from: train with a program of your own`,
    }));
}
