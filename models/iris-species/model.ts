import { defineModel } from '../../domain/model-definition.js';

const centimetres = { type: 'number', min: 0, max: 100, description: 'centimetres' } as const;

export default defineModel({
  name: 'iris-species',
  description: 'The species of an iris by its leaves. Trained in a notebook and imported: see notebook.py.',
  owner: 'botany',
  task: 'multiclass',
  contract: {
    entity: ['flower'],
    eventTime: 'measured_at',
    label: { name: 'species', type: 'string', classes: ['setosa', 'versicolor', 'virginica'] },
    features: {
      sepal_length: centimetres,
      sepal_width: centimetres,
      petal_length: centimetres,
      petal_width: centimetres,
    },
  },
  data: {
    cadence: 'static',
    tables: {
      flowers: {
        partitioned: false,
        columns: {
          flower: 'integer',
          measured_at: 'timestamp',
          sepal_length: 'number',
          sepal_width: 'number',
          petal_length: 'number',
          petal_width: 'number',
          species: 'string',
        },
        key: ['flower'],
      },
    },
    base: 'flowers',
    split: { kind: 'share', holdoutPct: 50, by: 'random', stratify: true },
  },
  evaluation: {
    // 150 flowers are easy: whoever looked at the petals alone would be right nine times of ten.
    implausiblyGood: 'accept',
    gates: [{ name: 'mostly right', metric: 'accuracy', atLeast: 0.85 }],
  },
  rollout: { strategy: 'direct', reason: 'brought by people who have tried it elsewhere' },
});
