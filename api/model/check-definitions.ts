import { checkExpressions } from '../../adapters/data-engine/expressions/check-expressions.js';
import type { ApplyWarning } from '../../client/http/apply.js';
import type { DefinitionInForce } from '../../db/model/model-lists.js';
import type { DefinitionProblem } from '../../domain/definition-problem.js';
import { environmentProblems, type Environments } from '../../domain/promotion/environments.js';
import { messageOf } from '../../domain/errors.js';
import { definitionProblems } from '../../domain/model/definition-problems.js';
import { sharedTableProblems } from '../../domain/data/lake/shared-table.js';
import { definitionWarnings } from '../../domain/model/definition-warnings.js';
import { prototypeMembers } from '../../domain/model/javascript-names.js';
import {
  definitionDigest,
  invalidDefinition,
  readDefinition,
  type ModelDefinition,
} from '../../domain/model/model-definition.js';
import { changedPaths } from './changed-paths.js';

/** The shape of what somebody wants to apply. @throws PerdureError `definition/invalid`. */
export function readGiven(value: unknown): ModelDefinition {
  const definition = readDefinition(value);
  const problems = prototypeMembers(value);
  if (problems.length > 0) throw invalidDefinition(definition.name, problems);
  return definition;
}

/**
 * Refuses what would come into force and is wrong. What is in force already and stays so is never refused by a check
 * that this release added: its problems are warnings, and so is a definition that is read otherwise than it was
 * applied.
 * @throws PerdureError `definition/invalid` that names every problem of the first definition that has one.
 */
export async function checkDefinitions(
  given: readonly ModelDefinition[],
  { stored, environments }: { stored: readonly DefinitionInForce[]; environments: Environments },
): Promise<ApplyWarning[]> {
  const untouched = stored.filter(({ name }) => !given.some((definition) => definition.name === name));
  const together = [...given, ...untouched.map(({ definition }) => definition)];
  const problemsOf = (definition: ModelDefinition) => [
    ...definitionProblems(definition),
    ...environmentProblems(definition.promotion.environments, environments),
    ...sharedTableProblems(definition, together),
  ];
  const staying = given.filter((definition) => isInForce(stored, definition));
  for (const definition of given.filter((one) => !staying.includes(one))) {
    const problems = problemsOf(definition);
    if (problems.length > 0) throw invalidDefinition(definition.name, problems);
  }
  const kept = stored.filter(({ name }) => !given.some((definition) => definition.name === name));
  const read = kept.map(readStored);
  const readable = read.flatMap(({ definition }) => definition ?? []);
  const stays = [...staying, ...readable];
  const found = await checkExpressions(given, staying);
  const warnings = new Map<string, DefinitionProblem[]>();
  const warn = (model: string, more: readonly DefinitionProblem[]) =>
    warnings.set(model, [...(warnings.get(model) ?? []), ...more]);
  for (const definition of given) warn(definition.name, definitionWarnings(definition));
  for (const { name, otherwise } of read) warn(name, otherwise);
  for (const definition of stays) warn(definition.name, problemsOf(definition).map(sinceApplied));
  for (const [model, { problems, warnings: seen }] of found) warn(model, [...problems.map(sinceApplied), ...seen]);
  for (const { name, problems } of await expressionsOfKept(readable)) warn(name, problems);
  return [...warnings].flatMap(([model, all]) => all.map((one) => ({ model, ...one })));
}

/** Nobody's apply ends because of a definition that it does not touch. */
async function expressionsOfKept(kept: readonly ModelDefinition[]) {
  const found = await checkExpressions(kept, kept).catch(() => undefined);
  return kept.map(({ name }) => ({ name, problems: (found?.get(name)?.problems ?? []).map(sinceApplied) }));
}

const isInForce = (stored: readonly DefinitionInForce[], definition: ModelDefinition): boolean =>
  stored.some(
    ({ name, definitionSha256: sha256 }) => name === definition.name && sha256 === definitionDigest(definition),
  );

/** A stored definition as this release reads it, and how that differs from what was applied. */
function readStored({ name, definitionSha256, definition: body }: DefinitionInForce): {
  name: string;
  definition?: ModelDefinition;
  otherwise: DefinitionProblem[];
} {
  try {
    const definition = readDefinition(body);
    if (definitionDigest(definition) === definitionSha256) return { name, definition, otherwise: [] };
    const paths = changedPaths(body, definition);
    const otherwise = paths.map((path) => ({ path, message: 'is read otherwise than when it was applied' }));
    return { name, definition, otherwise };
  } catch (error) {
    return { name, otherwise: [{ path: '', message: `cannot be read any more: ${messageOf(error)}` }] };
  }
}

const sinceApplied = ({ path, message }: DefinitionProblem): DefinitionProblem => ({
  path,
  message: `${message} (checked since it was applied: it stays in force, and a change of it would be refused)`,
});
