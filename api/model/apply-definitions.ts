import type { Database } from '../../db/connect.js';
import { contractOutlook } from '../../db/promotion/contract-facts.js';
import { applyDefinitionsWhole } from '../../db/model/definition-queries.js';
import { routesOfModels } from '../../db/serving/route-lists.js';
import { championOf } from '../../domain/serving/route.js';
import { definitionsInForce, type DefinitionInForce } from '../../db/model/model-lists.js';
import { compatibilityText } from '../../domain/data/contract-compatibility.js';
import { ruleOnContract } from '../../domain/promotion/contract-consent.js';
import { belowFloor, floorOf, type Floors } from '../../domain/promotion/floor.js';
import { PerdureError } from '../../domain/errors.js';
import { definitionDigest, type ModelDefinition } from '../../domain/model/model-definition.js';
import type { ApplyResult, DefinitionChange } from '../../client/http/apply.js';
import { changedPaths } from './changed-paths.js';
import { checkDefinitions, readGiven } from './check-definitions.js';
import { refuseWithoutProgram } from './programs-kept.js';
import type { ApiDeps } from '../deps.js';

export interface ApplyOrder {
  definitions: readonly unknown[];
  plan: boolean;
  prune: boolean;
  actor: string;
}

/**
 * Says what would change, and unless it is only a plan, makes it so: definitions and schedules, all or none. Repeating
 * it changes nothing; repeating it after an interruption finishes what was begun.
 * @throws PerdureError `definition/invalid` that names every problem; then nothing is changed.
 */
export async function applyDefinitions(
  { db, objects, schedules, environments, floors: readFloors }: ApiDeps,
  { definitions: given, plan, prune, actor }: ApplyOrder,
): Promise<ApplyResult> {
  const definitions = given.map(readGiven);
  refuseTwins(definitions);
  const known = await definitionsInForce(db);
  const absent = known.filter((model) => !definitions.some((definition) => definition.name === model.name));
  const retired = prune ? absent.map((model) => model.name) : [];
  const stored = known.filter(({ name }) => !retired.includes(name));
  const warnings = await checkDefinitions(definitions, { stored, environments });
  const contracts = new Map(
    await Promise.all(definitions.map(async (one) => [one.name, await contractsOf(db, one)] as const)),
  );
  await refuseServing(db, retired);
  const schedulePlan = await schedules.plan(definitions, retired);
  if (!plan) {
    await refuseWithoutProgram(objects, definitions);
    let undo = async () => {};
    try {
      await applyDefinitionsWhole(db, { definitions, retired, appliedBy: actor }, async () => {
        undo = await schedulePlan.apply();
      });
    } catch (error) {
      await undo();
      throw error;
    }
  }
  const floors = await readFloors();
  const changes = [
    ...definitions.map((definition) => ({
      ...changeOf(definition, known),
      ...undercuts(definition, floors),
      ...contracts.get(definition.name),
    })),
    ...absent.map((model) => absentChange(model, prune)),
  ];
  return {
    applied: !plan,
    definitions: changes.toSorted((a, b) => (a.model < b.model ? -1 : 1)),
    warnings,
    schedules: schedulePlan.changes,
  };
}

/** What serves does not disappear with its file. */
async function refuseServing(db: ApiDeps['db'], retired: readonly string[]): Promise<void> {
  const serving = await routesOfModels(db, retired);
  if (serving.length === 0) return;
  const places = serving
    .map(({ model, environment, split }) => `${model}@${championOf(split)} in ${environment}`)
    .join(', ');
  const ends = [...new Set(serving.map(({ model }) => model))]
    .map((model) => `\`perdure models retire ${model} --reason TEXT\``)
    .join(', ');
  throw new PerdureError(
    'state/conflict',
    `prune: ${places} still serve${serving.length === 1 ? 's' : ''}. Restore the definition, or end the ` +
      `service first: ${ends}.`,
    { models: [...new Set(serving.map(({ model }) => model))] },
  );
}

/** Where a definition falls below what the environments that it promotes to ask. */
function undercuts(definition: ModelDefinition, floors: Floors): Pick<DefinitionChange, 'belowFloor'> {
  const belowFloors = definition.promotion.environments.flatMap((environment) =>
    belowFloor(definition, floorOf(floors, environment)).map((problem) => ({ environment, problem })),
  );
  return belowFloors.length > 0 ? { belowFloor: belowFloors } : {};
}

function refuseTwins(definitions: readonly ModelDefinition[]): void {
  const names = definitions.map((definition) => definition.name);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin !== undefined)
    throw new PerdureError(
      'definition/invalid',
      `name: two definitions are named ${twin}. Give each model its own name.`,
      {
        model: twin,
      },
    );
}

/** What callers of each environment would find; nothing where none serves the model. */
async function contractsOf(db: Database, definition: ModelDefinition): Promise<Pick<DefinitionChange, 'contracts'>> {
  const { name: model, contract, promotion, rollout } = definition;
  const found: NonNullable<DefinitionChange['contracts']> = [];
  for (const environment of promotion.environments) {
    const outlook = await contractOutlook(db, { environment, model, contract });
    if (outlook.against.length === 0) continue;
    const { refused } = ruleOnContract(outlook, promotion.breakingContract, rollout.strategy, new Date());
    found.push({ environment, ...outlook, text: compatibilityText(outlook), refused });
  }
  return found.length === 0 ? {} : { contracts: found };
}

function changeOf(definition: ModelDefinition, known: readonly DefinitionInForce[]): DefinitionChange {
  const before = known.find((model) => model.name === definition.name);
  const toSha256 = definitionDigest(definition);
  if (!before) return { model: definition.name, change: 'created', fromSha256: null, toSha256, changedPaths: [] };
  const change = before.definitionSha256 === toSha256 ? 'unchanged' : 'changed';
  return {
    model: definition.name,
    change,
    fromSha256: before.definitionSha256,
    toSha256,
    changedPaths: changedPaths(before.definition, definition),
  };
}

function absentChange(model: DefinitionInForce, prune: boolean): DefinitionChange {
  const sha256 = model.definitionSha256;
  return prune
    ? { model: model.name, change: 'retired', fromSha256: sha256, toSha256: null, changedPaths: [] }
    : { model: model.name, change: 'kept', fromSha256: sha256, toSha256: sha256, changedPaths: [] };
}
