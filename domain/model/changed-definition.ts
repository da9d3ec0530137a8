import { whyNotSettable } from '../settable-path.js';
import { definitionProblems } from './definition-problems.js';
import { PerdureError } from '../errors.js';
import { invalidDefinition, readDefinition, type ModelDefinition } from './model-definition.js';

/**
 * The definition of one run: the applied one with some values replaced, by path: `{"training.parameters.num_leaves":
 * 15}`.
 * @throws PerdureError `definition/invalid` for a path that is not a run's to change, or a value that does not fit
 * there.
 */
export function changedDefinition(
  definition: ModelDefinition,
  changes: Readonly<Record<string, unknown>>,
): ModelDefinition {
  const copy: Record<string, unknown> = structuredClonePlain(definition);
  for (const [path, value] of Object.entries(changes)) setAt(copy, path, value);
  const changed = readDefinition(copy);
  // Checks that were added since the definition was applied say nothing of what this run changes.
  const before = new Set(definitionProblems(definition).map(({ path, message }) => `${path}: ${message}`));
  const problems = definitionProblems(changed).filter(({ path, message }) => !before.has(`${path}: ${message}`));
  if (problems.length > 0) throw invalidDefinition(definition.name, problems);
  return changed;
}

const structuredClonePlain = (value: ModelDefinition): Record<string, unknown> => JSON.parse(JSON.stringify(value));

function setAt(root: Record<string, unknown>, path: string, value: unknown): void {
  const refused = whyNotSettable(path);
  if (refused !== null) throw new PerdureError('definition/invalid', `${path}: ${refused}.`, { path });
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let place: unknown = root;
  for (const part of parts) place = isPlace(place) && Object.hasOwn(place, part) ? Reflect.get(place, part) : undefined;
  if (!isPlace(place)) {
    throw new PerdureError(
      'definition/invalid',
      `${path}: the definition has no such path. Name it as in the model file.`,
      { path },
    );
  }
  Reflect.set(place, last, value);
}

const isPlace = (value: unknown): value is object =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
