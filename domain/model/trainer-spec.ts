import type { ModelDefinition } from './model-definition.js';
import type { Feature } from '../data/feature/feature.js';
import { quantilesOf, taskOf } from '../tasks/task-of.js';
import type { TrainerFeature, TrainerSpec } from '../training/trainer.js';

/** Fits beside the one on every training row, where a threshold is to be chosen on rows that the model has not seen. */
const folds = 3;

/** What a trainer is told of a definition. Files are absolute local paths, in order. */
export function trainerSpecOf(definition: ModelDefinition, trainFiles: string[], holdoutFiles: string[]): TrainerSpec {
  const { name, contract, training } = definition;
  const quantiles = quantilesOf(contract);
  return {
    specVersion: 2,
    task: taskOf(definition).name,
    model: name,
    algorithm: training.program === undefined ? training.algorithm : 'program',
    parameters: training.parameters,
    seed: training.seed,
    features: Object.entries(contract.features).map(([feature, rules]) => trainerFeatureOf(feature, rules)),
    ...(contract.label && { label: trainerLabelOf(contract.label) }),
    ...(contract.group !== undefined && { group: contract.group }),
    ...(quantiles.length > 0 && { quantiles }),
    ...(contract.output?.length !== undefined && { length: contract.output.length }),
    ...(taskOf(definition).hasThreshold &&
      typeof definition.evaluation.threshold !== 'number' && { outOfFold: { folds, seed: training.seed } }),
    trainFiles,
    holdoutFiles,
    threads: training.threads,
    memoryMb: training.memoryMb,
  };
}

function trainerFeatureOf(name: string, feature: Feature): TrainerFeature {
  const { type, nullable } = feature;
  if (feature.type === 'vector') return { name, type, nullable, length: feature.length };
  if (feature.type === 'list') return { name, type, nullable, of: feature.of.type, maxLength: feature.maxLength };
  return { name, type, nullable };
}

function trainerLabelOf(label: NonNullable<ModelDefinition['contract']['label']>): NonNullable<TrainerSpec['label']> {
  const { name } = label;
  if (label.type === 'integer') return { name, type: label.type, ...(label.classes && { classes: label.classes }) };
  if (label.type === 'string') return { name, type: label.type, ...(label.classes && { classes: label.classes }) };
  return { name, type: label.type };
}
