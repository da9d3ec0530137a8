import { metricNames, type MetricName, type Metrics } from '../evaluation/evaluation.js';
import { averagePrecision } from './average-precision.js';
import { calibrationError } from './calibration.js';
import type { RankedScores, RowWeights } from './ranked-scores.js';
import { rocAuc } from './roc-auc.js';
import { logLosses, meanLoss, squaredErrors } from './row-losses.js';
import { thresholdMetrics } from './threshold-metrics.js';

/** A model's ranked scores with what every resample uses again. */
export interface MeasuredModel {
  ranked: RankedScores;
  /** Positive when score ≥ threshold. */
  threshold: number;
  logLosses: Float64Array;
  squaredErrors: Float64Array;
}

export function measuredModel(ranked: RankedScores, threshold: number): MeasuredModel {
  return { ranked, threshold, logLosses: logLosses(ranked), squaredErrors: squaredErrors(ranked) };
}

/** All metrics of one model on its rows, or on a resample of them; NaN where a metric is not defined. */
export function measure(model: MeasuredModel, weights?: RowWeights): Record<MetricName, number> {
  return {
    rocAuc: rocAuc(model.ranked, weights),
    prAuc: averagePrecision(model.ranked, weights),
    logLoss: meanLoss(model.logLosses, weights),
    brier: meanLoss(model.squaredErrors, weights),
    calibrationError: calibrationError(model.ranked, weights),
    ...thresholdMetrics(model.ranked, model.threshold, weights),
  };
}

/** The same in plain JSON: `null` where a metric is not defined. */
export function metricsOf(values: Record<MetricName, number>): Metrics {
  const metrics: Partial<Metrics> = {};
  for (const name of metricNames) metrics[name] = Number.isFinite(values[name]) ? values[name] : null;
  return { ...blankMetrics, ...metrics };
}

const blankMetrics: Metrics = {
  rocAuc: null,
  prAuc: null,
  logLoss: null,
  brier: null,
  calibrationError: null,
  accuracy: null,
  precision: null,
  recall: null,
  f1: null,
};
