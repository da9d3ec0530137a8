import { contractProblems, cutOverProblems } from './contract-problems.js';
import { dataProblems } from './data-problems.js';
import { evaluationProblems } from './evaluation-problems.js';
import { featureProblems } from './feature-problems.js';
import type { ModelDefinition } from './model-definition.js';
import { nameProblems } from './name-problems.js';
import { promotionProblems } from './promotion-problems.js';
import { rolloutProblems } from './rollout-problems.js';
import { parameterProblems } from './trainer-parameters.js';

export interface DefinitionProblem {
  /** Where in the definition, for example `evaluation.gates.0.atLeast`. */
  path: string;
  message: string;
}

/**
 * What is wrong with a definition beyond its shape. Asked when it is applied, never of one that is stored: whatever is checked more tightly
 * from one release to the next belongs here.
 */
export function definitionProblems(definition: ModelDefinition): DefinitionProblem[] {
  const { contract, data, training, evaluation, promotion, rollout, monitoring } = definition;
  return [
    ...namesOfJavaScript(definition),
    ...nameProblems(definition),
    ...contractProblems(contract),
    ...cutOverProblems(promotion.breakingContract),
    ...featureProblems(contract),
    ...dataProblems(data),
    ...parameterProblems(training),
    ...evaluationProblems(evaluation, contract),
    ...promotionProblems(promotion),
    ...rolloutProblems(rollout, monitoring),
  ];
}

/** `constructor` is in every JavaScript object: a table or a feature of that name would be found where there is none. */
function namesOfJavaScript({ contract, data }: ModelDefinition): DefinitionProblem[] {
  const named = (place: string, names: readonly string[]) =>
    names
      .filter((name) => name in Object.prototype)
      .map((name) => ({ path: `${place}.${name}`, message: 'is a name that JavaScript keeps for itself: take another' }));
  return [
    ...named('contract.features', Object.keys(contract.features)),
    ...named('contract.accepts', Object.keys(contract.accepts ?? {})),
    ...named('data.tables', Object.keys(data.tables)),
    ...Object.entries(data.tables).flatMap(([table, { columns }]) => named(`data.tables.${table}.columns`, Object.keys(columns))),
  ];
}
