import type { DefinitionProblem } from '../definition-problem.js';
import { trainingPolicySchema, type TrainingPolicy } from './training-policy.js';

const defaultAlgorithm = trainingPolicySchema.parse({}).algorithm;

/** A team's own program stands in place of an algorithm. */
export const programProblems = ({ algorithm, program }: TrainingPolicy): DefinitionProblem[] =>
  program === undefined || algorithm === defaultAlgorithm
    ? []
    : [
        {
          path: 'training.algorithm',
          message: `is ${algorithm}, and training.program names a trainer of your own: leave one of them out`,
        },
      ];
