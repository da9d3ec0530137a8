import { describe, expect, it } from 'vitest';
import { judgedMetricSchema, type JudgedMetric } from '../../../../../domain/rollout/judge/judge-policy.js';
import { pastSamples, type PastLook } from '../../../../../domain/rollout/judge/past-samples.js';

const metric = (given: object): JudgedMetric => judgedMetricSchema.parse(given);
const error = metric({ metric: 'quality', loss: 'error', margin: 0.05, harm: 0.2 });
const profit = (max: number) =>
  metric({
    metric: 'value',
    name: 'profit',
    from: 'probability',
    min: 0,
    max,
    direction: 'higher-is-better',
    margin: 1,
    harm: 2,
  });
const look = (metrics: JudgedMetric[], samples: PastLook['samples'], requests = 100): PastLook => ({
  metrics,
  samples,
  requests,
});

describe('pastSamples', () => {
  it('takes each metric from the newest look that counted it, scaled to the requests of now', () => {
    const looks = [
      look([error, profit(10)], { 'quality:error': { count: 0, sum: 0 }, 'value:profit': { count: 100, sum: 40 } }),
      look([error], { 'quality:error': { count: 50, sum: 5 } }),
      look([error], { 'quality:error': { count: 90, sum: 90 } }),
    ];
    expect(pastSamples([metric({ metric: 'errorShare' }), error, profit(10)], looks, 1000)).toEqual({
      'quality:error': { count: 500, sum: 50 },
      'value:profit': { count: 1000, sum: 400 },
    });
  });

  it('takes no value that was scaled by other bounds, and nothing from a look without requests', () => {
    const looks = [
      look([profit(10)], { 'value:profit': { count: 100, sum: 40 } }),
      look([error], { 'quality:error': { count: 5, sum: 5 } }, 0),
    ];
    expect(pastSamples([profit(20), error], looks, 1000)).toEqual({});
  });

  it('lets a margin change from one rollout to the next', () => {
    const looks = [
      look([metric({ metric: 'quality', loss: 'error', margin: 0.01, harm: 0.1 })], {
        'quality:error': { count: 5, sum: 1 },
      }),
    ];
    expect(pastSamples([error], looks, 100)).toEqual({ 'quality:error': { count: 5, sum: 1 } });
  });
});
