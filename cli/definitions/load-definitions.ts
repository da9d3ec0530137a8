import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { nextFirings } from '../../client/triggers/schedule-plan.js';
import { PerdureError } from '../../domain/errors.js';
import { parseModelDefinition } from '../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../domain/model/model-definition.js';
import { importDefinitions } from './import-definitions.js';

export interface LoadedDefinition {
  /** Relative to the project. */
  file: string;
  definition: ModelDefinition;
}

/**
 * Imports every `models/<name>/model.ts`, in the order of their names.
 * @throws PerdureError `definition/invalid` that names the file and every wrong path in its definition.
 */
export async function loadDefinitions(projectRoot: string): Promise<LoadedDefinition[]> {
  const folder = path.join(projectRoot, 'models');
  if (!existsSync(folder))
    throw new PerdureError('not-found', `There is no folder ${folder}. Create models/NAME/model.ts for each model.`);
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(folder, entry.name, 'model.ts')))
    .map((entry) => path.join('models', entry.name, 'model.ts'))
    .toSorted();
  const imported = await importDefinitions(projectRoot, files);
  const loaded = imported.map(({ file, definition }) => ({ file, definition: definitionOf(definition, file) }));
  for (const { file, definition } of loaded) {
    const named = path.basename(path.dirname(file));
    if (definition.name !== named)
      throw invalid(
        file,
        `the definition is named ${definition.name}, but its folder ${named}. Give both the same name: the ` +
          `folder's name is the model's.`,
      );
    const twin = loaded.find((other) => other.file < file && other.definition.name === definition.name);
    if (twin)
      throw invalid(file, `its name ${definition.name} is also used by ${twin.file}. Give each model its own name.`);
  }
  return loaded;
}

function definitionOf(exported: unknown, file: string): ModelDefinition {
  try {
    const definition = parseModelDefinition(exported);
    // Throws for a cron expression that is none.
    for (const schedule of definition.triggers.schedules) nextFirings(schedule, new Date(), 1);
    return definition;
  } catch (error) {
    if (error instanceof PerdureError)
      throw new PerdureError(error.code, `${file}: ${error.message}`, { ...error.details, file });
    throw error;
  }
}

const invalid = (file: string, problem: string) =>
  new PerdureError('definition/invalid', `${file}: ${problem}`, { file });
