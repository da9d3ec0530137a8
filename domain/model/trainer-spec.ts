import type { ModelDefinition } from './model-definition.js';
import { PerdureError } from '../errors.js';
import { labelOf } from '../tasks/task-of.js';
import type { TrainerSpec } from '../training/trainer.js';

/** What a trainer is told of a definition. Files are absolute local paths, in order. */
export function trainerSpecOf(
  { name, contract, training }: ModelDefinition,
  trainFiles: string[],
  holdoutFiles: string[],
): TrainerSpec {
  return {
    specVersion: 1,
    model: name,
    algorithm: training.program === undefined ? training.algorithm : 'program',
    parameters: training.parameters,
    seed: training.seed,
    features: Object.entries(contract.features).map(([feature, { type, nullable }]) => ({
      name: feature,
      type,
      nullable,
    })),
    label: trainerLabelOf(contract),
    trainFiles,
    holdoutFiles,
    threads: training.threads,
    memoryMb: training.memoryMb,
  };
}

function trainerLabelOf(contract: ModelDefinition['contract']): TrainerSpec['label'] {
  const { name, type } = labelOf(contract);
  if (type === 'number')
    throw new PerdureError('definition/invalid', 'contract.label.type: number cannot be trained on yet.');
  return { name, type };
}
