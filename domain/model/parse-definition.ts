import { definitionProblems } from './definition-problems.js';
import { prototypeMembers } from './javascript-names.js';
import { invalidDefinition, readDefinition, type ModelDefinition } from './model-definition.js';

/**
 * Checks a definition that somebody wants to apply and fills in its defaults.
 * @throws PerdureError `definition/invalid` that names the path of everything that is wrong.
 */
export function parseModelDefinition(value: unknown): ModelDefinition {
  const definition = readDefinition(value);
  const problems = [...prototypeMembers(value), ...definitionProblems(definition)];
  if (problems.length > 0) throw invalidDefinition(definition.name, problems);
  return definition;
}
