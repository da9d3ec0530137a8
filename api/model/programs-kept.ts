import { PerdureError } from '../../domain/errors.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { programSha256Of } from '../../domain/training/training-policy.js';
import type { ApiDeps } from '../deps.js';

/**
 * A definition in force can be trained by any worker: the programs that definitions name are kept.
 * @throws PerdureError `definition/invalid`.
 */
export async function refuseWithoutProgram(
  objects: Pick<ApiDeps['objects'], 'head'>,
  definitions: readonly ModelDefinition[],
): Promise<void> {
  for (const { name, training } of definitions) {
    if (training.program === undefined) continue;
    const sha256 = programSha256Of(training);
    if (sha256 !== undefined && (await objects.head(objectKeys.trainerProgram(sha256))) !== undefined) continue;
    throw new PerdureError(
      'definition/invalid',
      `The definition of model ${name} is not valid:\n  training.program: the program ` +
        `${sha256?.slice(0, 12) ?? '(no digest)'} was not sent. Apply with \`perdure apply\`, which sends it first.`,
      { model: name },
    );
  }
}
