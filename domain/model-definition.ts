import type { ModelDefinition, ModelDefinitionInput } from './model/model-definition.js';
import { parseModelDefinition } from './model/parse-definition.js';

/**
 * Describes a model. The result is plain data; `perdure apply` makes it known to the system. This file is the address
 * that `models/NAME/model.ts` imports: it stays.
 *
 * @throws PerdureError `definition/invalid` that names the path of everything that is wrong.
 */
export function defineModel(definition: ModelDefinitionInput): ModelDefinition {
  return parseModelDefinition(definition);
}
