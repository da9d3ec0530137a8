import { describe, expect, it } from 'vitest';
import { averagePrecision } from '../../../../domain/statistics/average-precision.js';
import { bestF1Threshold } from '../../../../domain/metrics/best-f1-threshold.js';
import { rankedMeasurer } from '../../../../domain/metrics/binary-measurer.js';
import { metricsOf } from '../../../../domain/evaluation/evaluate-scores.js';
import { calibrationCurve, calibrationError } from '../../../../domain/statistics/calibration.js';
import { rankScores } from '../../../../domain/statistics/ranked-scores.js';
import { rocAuc } from '../../../../domain/statistics/roc-auc.js';
import { rocCurve } from '../../../../domain/statistics/roc-curve.js';
import { logLosses, meanLoss, squaredErrors } from '../../../../domain/statistics/row-losses.js';
import { thresholdMetrics } from '../../../../domain/metrics/threshold-metrics.js';
import {
  nothing,
  ranked,
  rankedWeights,
  sample,
  sampleLabels,
  sampleScores,
  sampleWeights,
} from '../statistics/sample-problem.js';

describe('ROC AUC', () => {
  it('agrees with roc_auc_score(y, s) and its sample_weight=w, ties included', () => {
    expect(rocAuc(sample)).toBeCloseTo(0.7610488639900403, 13);
    expect(rocAuc(sample, rankedWeights)).toBeCloseTo(0.750188885401774, 13);
  });
  it('counts ties as one half', () => {
    expect(rocAuc(ranked([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5]))).toBe(0.5);
    expect(rocAuc(ranked([1, 0], [0.9, 0.1]))).toBe(1);
    expect(rocAuc(ranked([1, 0], [0.1, 0.9]))).toBe(0);
  });
  it('is NaN for one class and for no rows', () => {
    for (const problem of [nothing, ranked([1, 1], [0.2, 0.3]), ranked([0], [0.2])]) expect(rocAuc(problem)).toBeNaN();
    expect(rocAuc(ranked([1, 0], [0.9, 0.1]), Uint16Array.of(2, 0))).toBeNaN();
  });
});

describe('average precision', () => {
  it('agrees with average_precision_score(y, s) and its sample_weight=w', () => {
    expect(averagePrecision(sample)).toBeCloseTo(0.6541793038209689, 13);
    expect(averagePrecision(sample, rankedWeights)).toBeCloseTo(0.610272267328019, 13);
  });
  it('is NaN for one class and for no rows, where scikit-learn answers 0 or 1', () => {
    for (const problem of [nothing, ranked([1, 1], [0.2, 0.3]), ranked([0], [0.2])])
      expect(averagePrecision(problem)).toBeNaN();
  });
});

describe('log loss and Brier score', () => {
  it('agree with log_loss(y, np.clip(s, 2**-23, 1 - 2**-23)) and brier_score_loss(y, s), and their sample_weight=w', () => {
    expect(meanLoss(logLosses(sample))).toBeCloseTo(0.6557664965822201, 9);
    expect(meanLoss(squaredErrors(sample))).toBeCloseTo(0.2077945, 13);
    expect(meanLoss(logLosses(sample), rankedWeights)).toBeCloseTo(0.7127733253420098, 9);
    expect(meanLoss(squaredErrors(sample), rankedWeights)).toBeCloseTo(0.21388383333333333, 13);
  });
  it('stay finite for certain and wrong scores: the log loss is then 23 ln 2', () => {
    expect(meanLoss(logLosses(ranked([1, 0], [0, 1])))).toBeCloseTo(23 * Math.LN2, 9);
  });
  it('are NaN without rows', () => {
    expect(meanLoss(logLosses(nothing))).toBeNaN();
  });
});

describe('calibration', () => {
  // calibration_curve(y, s, n_bins=15); the error by hand: sum(abs(s[b == k].sum() - y[b == k].sum()) for k in
  // range(15)) / 400 with b = min(14, floor(15 s))
  it('agrees with scikit-learn on the curve and with NumPy on the error', () => {
    const curve = calibrationCurve(sample);
    expect(curve).toHaveLength(15);
    expect(curve[0]?.meanScore).toBeCloseTo(0.03, 13);
    expect(curve[0]?.observedShare).toBeCloseTo(0.07142857142857142, 13);
    expect(curve[10]?.observedShare).toBeCloseTo(0.5714285714285714, 13);
    expect(curve.reduce((rows, point) => rows + point.rows, 0)).toBe(400);
    expect(calibrationError(sample)).toBeCloseTo(0.1211, 13);
  });
  it('leaves empty bins out and puts a score of 1 into the last', () => {
    expect(calibrationCurve(ranked([1, 0], [1, 0]))).toEqual([
      { meanScore: 0, observedShare: 0, rows: 1 },
      { meanScore: 1, observedShare: 1, rows: 1 },
    ]);
    expect(calibrationError(ranked([1, 0], [1, 0]))).toBe(0);
    expect(calibrationError(nothing)).toBeNaN();
    expect(calibrationCurve(nothing)).toEqual([]);
  });
});

describe('threshold metrics', () => {
  // accuracy_score, precision_score, recall_score, f1_score of (s >= t)
  it.each([
    [0.3, 0.6075, 0.5088967971530249, 0.8827160493827161, 0.6455981941309256],
    [0.5, 0.7125, 0.6169154228855721, 0.7654320987654321, 0.6831955922865014],
    [0.9, 0.6425, 0.7209302325581395, 0.19135802469135801, 0.3024390243902439],
  ])('agree with scikit-learn at %s', (threshold, accuracy, precision, recall, f1) => {
    const found = thresholdMetrics(sample, threshold);
    expect(found.accuracy).toBeCloseTo(accuracy, 13);
    expect(found.precision).toBeCloseTo(precision, 13);
    expect(found.recall).toBeCloseTo(recall, 13);
    expect(found.f1).toBeCloseTo(f1, 13);
  });
  it('agree with scikit-learn under weights', () => {
    const found = thresholdMetrics(sample, 0.5, undefined, rankedWeights);
    expect(found.accuracy).toBeCloseTo(0.7016666666666667, 13);
    expect(found.f1).toBeCloseTo(0.6679035250463822, 13);
  });
  it('are NaN where they mean nothing', () => {
    expect(thresholdMetrics(nothing, 0.5)).toEqual({ accuracy: NaN, precision: NaN, recall: NaN, f1: NaN });
    expect(thresholdMetrics(ranked([1, 0], [0.1, 0.2]), 0.5)).toEqual({
      accuracy: 0.5,
      precision: NaN,
      recall: 0,
      f1: 0,
    });
    expect(thresholdMetrics(ranked([0], [0.2]), 0.5).recall).toBeNaN();
  });
  it('find the threshold of the best F1: 0.45 by precision_recall_curve(y, s), F1 0.68929…', () => {
    expect(bestF1Threshold(sample)).toBe(0.45);
    expect(thresholdMetrics(sample, 0.45).f1).toBeCloseTo(0.6892950391644908, 13);
    expect(bestF1Threshold(ranked([0, 0], [0.1, 0.2]))).toBeNull();
    expect(bestF1Threshold(nothing)).toBeNull();
  });
});

describe('ROC curve', () => {
  it('goes from (0, 0) to (1, 1), rises, keeps the area and has at most 101 points', () => {
    const scores = Float64Array.from({ length: 20_000 }, (_, row) => ((row * 7919) % 20_011) / 20_011);
    const labels = Uint8Array.from(scores, (score, row) => (((row * 104_729) % 10_007) / 10_007 < score ? 1 : 0));
    const problem = rankScores(labels, scores);
    const curve = rocCurve(problem);
    expect(curve.length).toBeLessThanOrEqual(101);
    expect(curve.length).toBeGreaterThan(90);
    expect(curve[0]).toEqual({ falsePositiveRate: 0, truePositiveRate: 0 });
    expect(curve.at(-1)).toEqual({ falsePositiveRate: 1, truePositiveRate: 1 });
    let area = 0;
    for (const [place, point] of curve.entries()) {
      const before = curve[place - 1];
      if (!before) continue;
      expect(point.truePositiveRate).toBeGreaterThanOrEqual(before.truePositiveRate);
      area +=
        ((point.falsePositiveRate - before.falsePositiveRate) * (point.truePositiveRate + before.truePositiveRate)) / 2;
    }
    expect(area).toBeCloseTo(rocAuc(problem), 3);
    expect(rocCurve(ranked([1], [0.5]))).toEqual([]);
  });
});

describe('rankScores', () => {
  it('refuses what has no rank', () => {
    expect(() => ranked([1, 0], [0.5, Number.NaN])).toThrow('score 1 is NaN');
    expect(() => ranked([1], [0.5, 0.6])).toThrow('1 labels do not match 2 scores');
  });
});

describe('rankedMeasurer', () => {
  it('gives every metric, and null for what is not defined once it is plain JSON', () => {
    expect(metricsOf(rankedMeasurer(sample, { threshold: 0.5 }))).toMatchObject({
      rocAuc: expect.closeTo(0.76105, 5),
      f1: expect.closeTo(0.6832, 4),
    });
    expect(metricsOf(rankedMeasurer(nothing, { threshold: 0.5 }))).toEqual({
      rocAuc: null,
      prAuc: null,
      logLoss: null,
      brier: null,
      calibrationError: null,
      accuracy: null,
      precision: null,
      recall: null,
      f1: null,
    });
  });
  it('counts a weight as that many rows', () => {
    const repeated: number[] = [];
    for (const row of sample.rows) for (let times = 0; times < (row * 7) % 4; times++) repeated.push(row);
    const rows = rankScores(
      Uint8Array.from(repeated, (row) => sampleLabels[row] ?? 0),
      Float64Array.from(repeated, (row) => sampleScores[row] ?? 0),
    );
    const settings = {
      threshold: 0.5,
      costs: { truePositive: -3, falsePositive: 1, trueNegative: 0, falseNegative: 2 },
    };
    const weighted = rankedMeasurer(sample, settings).measure(sampleWeights);
    const again = rankedMeasurer(rows, settings).measure();
    expect(weighted).toEqual(
      Object.fromEntries(Object.entries(again).map(([name, value]) => [name, expect.closeTo(value, 12)])),
    );
  });
});
