import { defineModel } from '../../domain/model-definition.js';

export default defineModel({
  name: 'repeat-purchase',
  description:
    'Chance that a known customer of a record shop buys again in the month that begins, asked on its first day.',
  owner: 'marketing-analytics',
  contract: {
    entity: ['as_of', 'customer_id'],
    eventTime: 'as_of',
    label: {
      name: 'buys',
      type: 'boolean',
      from: 'orders_in_month > 0',
      description: 'bought at least once in the month',
    },
    features: {
      cohort: { type: 'string', levels: ['1997-01', '1997-02', '1997-03'], description: 'month of the first purchase' },
      orders: { type: 'number', min: 1, max: 10_000, description: 'days with a purchase before the month' },
      discs: { type: 'number', min: 0, max: 100_000, description: 'compact discs bought before the month' },
      spent: { type: 'number', min: 0, max: 1_000_000, description: 'US dollars before the month' },
      spent_per_order: { type: 'number', min: 0, max: 100_000, description: 'US dollars' },
      orders_90d: { type: 'number', min: 0, max: 90, description: 'days with a purchase in the 90 days before' },
      spent_90d: { type: 'number', min: 0, max: 1_000_000, description: 'US dollars in the 90 days before' },
      days_since_first: { type: 'number', min: 1, max: 10_000 },
      days_since_last: { type: 'number', min: 1, max: 10_000 },
      days_between: {
        type: 'number',
        nullable: true,
        min: 0,
        max: 10_000,
        description: 'mean days between purchases; missing after a single one',
      },
    },
  },
  data: {
    tables: {
      customers: {
        columns: {
          year: 'integer',
          month: 'integer',
          as_of: 'timestamp',
          customer_id: 'string',
          cohort: 'string',
          orders: 'integer',
          discs: 'integer',
          spent: 'number',
          spent_per_order: 'number',
          orders_90d: 'integer',
          spent_90d: 'number',
          days_since_first: 'integer',
          days_since_last: 'integer',
          days_between: 'number',
          orders_in_month: 'integer',
        },
        key: ['as_of', 'customer_id'],
      },
    },
    base: 'customers',
    window: { kind: 'sliding', from: '1997-06', months: 6 },
    expectations: { volumeRatioMin: 0.9, volumeRatioMax: 1.1, nullShareRiseMaxPct: 5, labelRateChangeMaxPct: 5 },
  },
  training: {
    algorithm: 'lightgbm',
    parameters: { num_iterations: 80, num_leaves: 7, learning_rate: 0.05, min_data_in_leaf: 200 },
  },
  evaluation: {
    threshold: 'best-f1',
    slices: ['cohort'],
    gates: [
      { name: 'ranks customers', metric: 'rocAuc', atLeast: 0.72 },
      { name: 'honest probabilities', metric: 'calibrationError', atMost: 0.03 },
      { name: 'every cohort ranked', metric: 'rocAuc', atLeast: 0.7, slice: 'cohort', minRows: 1000 },
      { name: 'not worse than champion', metric: 'rocAuc', worseThanChampionByAtMost: 0.02 },
    ],
  },
  promotion: {
    environments: ['staging', 'production'],
    firstVersion: 'approval',
    approvals: { count: 1, roles: ['approver'] },
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
