import { defineModel } from '../../domain/model-definition.js';

export default defineModel({
  name: 'customer-value',
  description: 'Dollars that a known customer of a record shop spends in the next 90 days, by a trainer of its own.',
  owner: 'marketing-analytics',
  task: 'regression',
  contract: {
    entity: ['customer_id'],
    eventTime: 'asked_at',
    label: { name: 'spent_next_90d', type: 'number', min: 0, max: 100_000, description: 'US dollars' },
    features: {
      orders: { type: 'number' },
      spent: { type: 'number' },
      largest_order: { type: 'number' },
      orders_90d: { type: 'number' },
      spent_90d: { type: 'number' },
      days_since_first: { type: 'number' },
      days_since_last: { type: 'number' },
    },
  },
  data: {
    cadence: 'static',
    tables: {
      customers: {
        partitioned: false,
        columns: {
          customer_id: 'string',
          asked_at: 'timestamp',
          orders: 'integer',
          spent: 'number',
          largest_order: 'number',
          orders_90d: 'integer',
          spent_90d: 'number',
          days_since_first: 'integer',
          days_since_last: 'integer',
          spent_next_90d: 'number',
        },
        key: ['customer_id'],
      },
    },
    base: 'customers',
    split: { kind: 'share', holdoutPct: 25, by: 'random', seed: 42 },
  },
  training: { program: './trainer' },
  evaluation: { gates: [{ name: 'better than the mean', metric: 'r2', atLeast: 0.1 }] },
  rollout: {
    strategy: 'canary',
    steps: [
      { sharePct: 25, minRequests: 300, minSeconds: 5 },
      { sharePct: 100, minRequests: 300, minSeconds: 5 },
    ],
    lookEverySeconds: 2,
  },
});
