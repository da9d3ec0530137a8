import type { ModelDefinition } from './model-definition.js';
import { quantilesOf, taskOf } from '../tasks/task-of.js';
import type { TrainerSpec } from '../training/trainer.js';

/** Fits beside the one on every training row, where a threshold is to be chosen on rows that the model has not seen. */
const folds = 3;

/** What a trainer is told of a definition. Files are absolute local paths, in order. */
export function trainerSpecOf(
  definition: ModelDefinition,
  trainFiles: string[],
  holdoutFiles: string[],
): TrainerSpec {
  const { name, contract, training } = definition;
  const quantiles = quantilesOf(contract);
  return {
    specVersion: 2,
    task: taskOf(definition).name,
    model: name,
    algorithm: training.program === undefined ? training.algorithm : 'program',
    parameters: training.parameters,
    seed: training.seed,
    features: Object.entries(contract.features).map(([feature, { type, nullable }]) => ({
      name: feature,
      type,
      nullable,
    })),
    ...(contract.label && { label: trainerLabelOf(contract.label) }),
    ...(contract.group !== undefined && { group: contract.group }),
    ...(quantiles.length > 0 && { quantiles }),
    ...(choosesThreshold(definition) && { outOfFold: { folds, seed: training.seed } }),
    trainFiles,
    holdoutFiles,
    threads: training.threads,
    memoryMb: training.memoryMb,
  };
}

/** Whether the threshold of a version is chosen and not given. */
export const choosesThreshold = (definition: Pick<ModelDefinition, 'task' | 'evaluation'>): boolean =>
  taskOf(definition).hasThreshold && typeof definition.evaluation.threshold !== 'number';

function trainerLabelOf(label: NonNullable<ModelDefinition['contract']['label']>): NonNullable<TrainerSpec['label']> {
  const { name, type } = label;
  return 'classes' in label && label.classes !== undefined ? { name, type, classes: label.classes } : { name, type };
}
