import type { DefinitionProblem } from '../definition-problem.js';
import { cutOverProblems } from '../promotion/promotion-problems.js';
import { contractProblems } from '../data/contract-problems.js';
import { splitProblems } from '../data/split-policy.js';
import { dataProblems } from '../data/data-problems.js';
import { evaluationProblems } from '../evaluation/evaluation-problems.js';
import { featureProblems } from '../data/feature-problems.js';
import { momentProblems } from '../data/join-problems.js';
import { sharedOwner } from '../data/lake/lake-owner.js';
import { lookBackProblems } from '../data/look-back.js';
import { javaScriptNames } from './javascript-names.js';
import type { ModelDefinition } from './model-definition.js';
import { nameProblems } from '../data/name-problems.js';
import { promotionProblems } from '../promotion/promotion-problems.js';
import { judgedTaskProblems } from '../rollout/judged-task.js';
import { rolloutProblems } from '../rollout/rollout-problems.js';
import { taskProblems } from '../tasks/task-problems.js';
import { programProblems } from '../training/program-problems.js';
import { trainingProblems } from '../training/training-problems.js';

/**
 * What is wrong with a definition beyond its shape. Asked when it is applied, never of one that is stored: whatever is
 * checked more tightly from one release to the next belongs here.
 */
export function definitionProblems(definition: ModelDefinition): DefinitionProblem[] {
  const { contract, data, promotion, rollout, monitoring } = definition;
  return [
    ...reservedNames(definition),
    ...javaScriptNames(definition),
    ...nameProblems(definition),
    ...taskProblems(definition),
    ...contractProblems(contract),
    ...cutOverProblems(promotion.breakingContract),
    ...featureProblems(contract),
    ...dataProblems(data),
    ...momentProblems(contract, data),
    ...lookBackProblems(definition),
    ...programProblems(definition.training),
    ...splitProblems(data, contract),
    ...trainingProblems(definition),
    ...evaluationProblems(definition),
    ...promotionProblems(promotion),
    ...rolloutProblems(rollout, monitoring),
    ...judgedTaskProblems(definition),
  ];
}

/** A model of this name would own what all of them share. */
const reservedNames = ({ name }: ModelDefinition): DefinitionProblem[] =>
  name === sharedOwner
    ? [{ path: 'name', message: `${sharedOwner} is the owner of the tables that models share: choose another name` }]
    : [];
