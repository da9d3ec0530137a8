import { describe, expect, it } from 'vitest';
import { chooseThreshold } from '../../../../domain/evaluation/choose-threshold.js';
import { thresholdMetrics } from '../../../../domain/metrics/threshold-metrics.js';
import { rankScores } from '../../../../domain/statistics/ranked-scores.js';
import { sample, sampleLabels, sampleScores } from '../statistics/sample-problem.js';

const costs = { truePositive: -3, falsePositive: 1, trueNegative: 0, falseNegative: 2 };

describe('chooseThreshold', () => {
  it('takes a number as it is, and finds the best F1', () => {
    expect(chooseThreshold({ threshold: 0.3 }, sampleLabels, sampleScores)).toBe(0.3);
    expect(chooseThreshold({ threshold: 'best-f1' }, sampleLabels, sampleScores)).toBe(0.45);
    expect(chooseThreshold({ threshold: 'best-f1' }, Uint8Array.of(0, 0), Float64Array.of(0.1, 0.9))).toBe(0.5);
  });

  it('finds the threshold that no other betters by the declared costs, ties included', () => {
    const chosen = chooseThreshold({ threshold: 'best-utility', costs }, sampleLabels, sampleScores);
    const utility = (threshold: number) => thresholdMetrics(sample, threshold, costs).utility ?? NaN;
    const best = Math.max(...Array.from({ length: 103 }, (_, step) => utility(step / 100)));
    expect(utility(chosen)).toBe(best);
    // By hand at 0.5: 124 of 201 called are right, 38 positives of 162 are missed.
    expect(utility(0.5)).toBeCloseTo((3 * 124 - 77 - 2 * 38) / 400, 12);
  });

  it('calls no row positive where that costs least, and every row where that does', () => {
    const [labels, scores] = [Uint8Array.of(1, 0), Float64Array.of(1, 0.2)];
    const never = chooseThreshold(
      { threshold: 'best-utility', costs: { ...costs, truePositive: 9, falsePositive: 9 } },
      labels,
      scores,
    );
    expect(scores.filter((score) => score >= never)).toHaveLength(0);
    const always = chooseThreshold(
      { threshold: 'best-utility', costs: { ...costs, falsePositive: -1 } },
      labels,
      scores,
    );
    expect(thresholdMetrics(rankScores(labels, scores), always)).toMatchObject({ recall: 1, precision: 0.5 });
  });
});
