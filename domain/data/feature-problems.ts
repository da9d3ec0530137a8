import type { Contract } from './contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import type { Feature, Item } from './feature/feature.js';

/**
 * Each is an input of the model: more are not trained, checked and served in a time that anybody waits for.
 * `docs/model-definition.md` says so.
 */
export const featuresMax = 5000;
const float32Max = 3.4028234663852886e38;

/** What is wrong with ranges and levels of features beyond their shape. */
export function featureProblems({ features }: Contract): DefinitionProblem[] {
  const count = Object.keys(features).length;
  const problems: DefinitionProblem[] =
    count > featuresMax
      ? [{ path: 'contract.features', message: `there are ${count}; at most ${featuresMax} are allowed` }]
      : [];
  for (const [name, feature] of Object.entries(features)) {
    const path = `contract.features.${name}`;
    problems.push(...(feature.type === 'list' ? itemProblems(`${path}.of`, feature.of) : itemProblems(path, feature)));
  }
  return problems;
}

function itemProblems(path: string, item: Item | Feature): DefinitionProblem[] {
  if (item.type === 'number')
    return (['min', 'max'] as const)
      .filter((bound) => Math.abs(item[bound] ?? 0) > float32Max)
      .map((bound) => ({ path: `${path}.${bound}`, message: 'is beyond what a 32-bit float holds' }));
  if (item.type !== 'string') return [];
  const problems: DefinitionProblem[] = [];
  const levels = item.levels ?? [];
  const twice = levels.find((level, index) => levels.indexOf(level) !== index);
  if (twice !== undefined) problems.push({ path: `${path}.levels`, message: `${twice} is listed twice` });
  const long = levels.find((level) => Array.from(level).length > item.maxLength);
  if (long !== undefined)
    problems.push({
      path: `${path}.levels`,
      message: `${long} is longer than maxLength (${item.maxLength}): no value can ever match it`,
    });
  return problems;
}
