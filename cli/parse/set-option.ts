import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

const jsonSchema = z.json();
/** Values by path of the definition. */
export type DefinitionChanges = Record<string, z.infer<typeof jsonSchema>>;

const path = /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*|\[\d+\])*$/;

/** Collects repeated `--set PATH=VALUE`. A value that is JSON is taken as such, anything else as a string. */
export function collectSet(text: string, earlier: DefinitionChanges = {}): DefinitionChanges {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals).trim();
  if (equals < 1 || !path.test(name))
    throw new InvalidArgumentError('Write PATH=VALUE, for example training.parameters.num_leaves=15.');
  return { ...earlier, [name]: valueOf(text.slice(equals + 1)) };
}

function valueOf(text: string): DefinitionChanges[string] {
  try {
    return jsonSchema.parse(JSON.parse(text));
  } catch {
    return text;
  }
}
