import type { ModelDefinition } from './model-definition.js';
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
    algorithm: training.algorithm,
    parameters: training.parameters,
    seed: training.seed,
    features: Object.entries(contract.features).map(([feature, { type, nullable }]) => ({
      name: feature,
      type,
      nullable,
    })),
    label: { name: contract.label.name, type: contract.label.type },
    trainFiles,
    holdoutFiles,
    threads: training.threads,
    memoryMb: training.memoryMb,
  };
}
