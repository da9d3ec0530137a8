import { defineModel } from '../../domain/model-definition.js';

export default defineModel({
  name: 'delay-class',
  description: 'Whether a flight from New York arrives on time, late or very late, asked when it leaves.',
  owner: 'operations-research',
  task: 'multiclass',
  contract: {
    entity: ['time_hour', 'carrier', 'flight'],
    eventTime: 'time_hour',
    label: {
      name: 'arrives',
      type: 'string',
      classes: ['on-time', 'late', 'very-late'],
      from: `CASE WHEN arr_delay <= 15 THEN 'on-time' WHEN arr_delay <= 60 THEN 'late'
        WHEN arr_delay > 60 THEN 'very-late' END`,
      description: 'up to 15 minutes late, up to 60, or more',
    },
    features: {
      carrier: { type: 'string' },
      origin: { type: 'string', levels: ['EWR', 'JFK', 'LGA'], closed: true },
      dest: { type: 'string' },
      sched_dep_hour: { type: 'number', from: 'sched_dep_time // 100', min: 0, max: 24 },
      distance: { type: 'number', min: 1, max: 10_000, description: 'miles' },
      dep_delay: { type: 'number', min: -200, max: 3000, description: 'minutes, known when the flight leaves' },
    },
  },
  data: {
    cadence: 'week',
    timeZone: 'America/New_York',
    tables: {
      flights: {
        columns: {
          sched_dep_time: 'integer',
          dep_delay: 'number',
          arr_delay: 'number',
          carrier: 'string',
          flight: 'integer',
          origin: 'string',
          dest: 'string',
          distance: 'number',
          time_hour: 'timestamp',
        },
        key: ['time_hour', 'carrier', 'flight'],
      },
    },
    base: 'flights',
    window: { kind: 'sliding', from: '2013-W01', partitions: 5 },
  },
  training: {
    algorithm: 'lightgbm',
    parameters: { num_iterations: 100, num_leaves: 15, learning_rate: 0.1, min_data_in_leaf: 50 },
  },
  evaluation: {
    slices: ['origin'],
    gates: [
      { name: 'tells the classes apart', metric: 'rocAuc', atLeast: 0.8 },
      { name: 'honest probabilities', metric: 'logLoss', atMost: 0.6 },
      { name: 'no class forgotten', metric: 'f1', class: 'very-late', atLeast: 0.5 },
    ],
  },
  rollout: {
    strategy: 'canary',
    steps: [
      { sharePct: 25, minRequests: 300, minSeconds: 5 },
      { sharePct: 100, minRequests: 300, minSeconds: 5 },
    ],
    lookEverySeconds: 2,
  },
});
