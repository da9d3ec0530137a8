import { expect, it } from 'vitest';
import { metricsSchema } from '../../../../../domain/metrics/measured.js';
import type { Metrics } from '../../../../../domain/metrics/measured.js';
import { holdoutSamples } from '../../../../../domain/rollout/judge/holdout-samples.js';
import { judgedMetricSchema } from '../../../../../domain/rollout/judge/judge-policy.js';

const quality = (loss: string) => judgedMetricSchema.parse({ metric: 'quality', loss, margin: 0.01, harm: 0.1 });
const outcome = judgedMetricSchema.parse({ metric: 'outcome', direction: 'higher-is-better' });
const value = judgedMetricSchema.parse({
  ...{
    metric: 'value',
    name: 'profit',
    from: 'probability',
    min: 0,
    max: 1,
    direction: 'higher-is-better',
    margin: 0.1,
    harm: 0.2,
  },
});
const measured = (given: Partial<Metrics>): Metrics =>
  metricsSchema.parse({
    ...{ rocAuc: null, prAuc: null, logLoss: null, brier: null, calibrationError: null },
    ...{ accuracy: null, precision: null, recall: null, f1: null },
    ...given,
  });
const holdout = [
  { rows: 100, positives: 10 },
  { rows: 300, positives: 70 },
];

it('expects of labels what the holdout showed, scaled to 0 to 1, and nothing of a value', () => {
  const metrics = measured({ accuracy: 0.75, brier: 0.125, logLoss: 0.5 });
  const asked = [
    quality('error'),
    quality('brier'),
    quality('logLoss'),
    outcome,
    value,
    judgedMetricSchema.parse({ metric: 'errorShare' }),
  ];
  expect(holdoutSamples(asked, { metrics, holdout }, 1000)).toEqual({
    'quality:error': { count: 1000, sum: 250 },
    'quality:brier': { count: 1000, sum: 125 },
    'quality:logLoss': { count: 1000, sum: 50 },
    outcome: { count: 1000, sum: 200 },
  });
});

it('expects nothing of a metric that the holdout does not define, and clips a loss where the judge does', () => {
  expect(
    holdoutSamples([quality('error'), quality('brier'), outcome], { metrics: measured({}), holdout: [] }, 10),
  ).toEqual({});
  expect(holdoutSamples([quality('logLoss')], { metrics: measured({ logLoss: 12 }), holdout }, 10)).toEqual({
    'quality:logLoss': { count: 10, sum: 10 },
  });
});
