import { PerdureError } from './errors.js';
import { parseModelDefinition, type ModelDefinition } from './model-definition.js';

/**
 * A definition with some values replaced, by path: `{"training.parameters.num_leaves": 15}`.
 * @throws PerdureError `definition/invalid` for a path that leads nowhere or a value that does not fit there.
 */
export function changedDefinition(definition: ModelDefinition, changes: Readonly<Record<string, unknown>>): ModelDefinition {
  const copy: Record<string, unknown> = structuredClonePlain(definition);
  for (const [path, value] of Object.entries(changes)) setAt(copy, path, value);
  const changed = parseModelDefinition(copy);
  if (changed.name !== definition.name) throw new PerdureError('definition/invalid', 'name: a run cannot change which model it trains');
  return changed;
}

const structuredClonePlain = (value: ModelDefinition): Record<string, unknown> => JSON.parse(JSON.stringify(value));

function setAt(root: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let place: unknown = root;
  for (const part of parts) place = isPlace(place) && Object.hasOwn(place, part) ? Reflect.get(place, part) : undefined;
  // Only what the definition itself holds is a place: `__proto__` would lead to what all objects share, `length` would cut a list.
  if (!isPlace(place) || (Array.isArray(place) ? !Object.hasOwn(place, last) || last === 'length' : last === '__proto__')) {
    throw new PerdureError(
      'definition/invalid',
      `${path}: the definition has no such place. Name it as in the model file, for example training.parameters.num_leaves`,
      { path },
    );
  }
  Reflect.set(place, last, value);
}

const isPlace = (value: unknown): value is object => value !== null && typeof value === 'object';
