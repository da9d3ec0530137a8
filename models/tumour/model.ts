import { defineModel } from '../../domain/model-definition.js';

const measurements = [
  ...['radius', 'texture', 'perimeter', 'area', 'smoothness', 'compactness', 'concavity', 'concave_points'],
  ...['symmetry', 'fractal_dimension'],
].flatMap((name) => [`mean_${name}`, `${name}_error`, `worst_${name}`]);

export default defineModel({
  name: 'tumour',
  description: 'Chance that a breast tumour is malignant, from measurements of the cell nuclei in a sample.',
  owner: 'pathology',
  contract: {
    entity: ['sample'],
    eventTime: 'taken_at',
    label: { name: 'malignant', type: 'boolean' },
    features: Object.fromEntries(measurements.map((name) => [name, { type: 'number' as const, min: 0, max: 10_000 }])),
  },
  data: {
    cadence: 'static',
    tables: {
      samples: {
        partitioned: false,
        columns: {
          sample: 'integer',
          taken_at: 'timestamp',
          malignant: 'boolean',
          ...Object.fromEntries(measurements.map((name) => [name, 'number' as const])),
        },
        key: ['sample'],
      },
    },
    base: 'samples',
    // 569 rows are too few to set some aside: each is scored by a model that has not seen it.
    split: { kind: 'folds', folds: 5, by: 'random', stratify: true },
  },
  training: { algorithm: 'sklearn', parameters: { estimator: 'logistic-regression', C: 1, max_iter: 5000 } },
  evaluation: {
    threshold: 'best-f1',
    gates: [
      { name: 'tells them apart', metric: 'rocAuc', atLeast: 0.96 },
      { name: 'misses few', metric: 'recall', atLeast: 0.88 },
    ],
  },
  rollout: { strategy: 'direct', reason: 'trained once on data that does not change; nobody asks it yet' },
});
