import { metricCatalogue as known } from '../metrics/metric-catalogue.js';
import { regressionMeasurer } from '../metrics/regression-measurer.js';
import { quantileCoverage, residualQuantiles } from '../metrics/residual-quantiles.js';
import type { Task } from './task.js';

/** A number, with quantiles of it where the contract asks for them. */
export const regression: Task = {
  name: 'regression',
  title: 'Regression',
  labelsAreClasses: false,
  hasThreshold: false,
  answers: (label) => `a value of ${label}`,
  labelTypes: ['number'],
  outputs: ({ quantiles }) => [
    { name: 'value', datatype: 'FP32', width: null },
    ...(quantiles.length > 0 ? [{ name: 'quantiles', datatype: 'FP32' as const, width: quantiles.length }] : []),
  ],
  graphOutputs: ({ quantiles }) => [
    { name: 'value', width: 1, holds: 'numbers' },
    ...(quantiles.length > 0 ? [{ name: 'quantiles', width: quantiles.length, holds: 'quantiles' as const }] : []),
  ],
  predictedClasses: null,
  predictedColumn: null,
  labelColumn: 'label_number',
  logged: ({ quantiles }) => [
    { column: 'value', from: 0, width: null },
    ...(quantiles.length > 0
      ? [{ column: 'quantiles' as const, from: 1, width: quantiles.length, each: 'quantile' }]
      : []),
  ],
  compared: { bins: 'unbounded', of: ({ values, width }, row) => values[row * width] ?? NaN },
  losses: ['absoluteError', 'squaredError', 'pinball'],
  outcome: 'mean',
  problems: ({ label }) =>
    label?.type === 'number' && label.min !== undefined && label.max !== undefined && label.min >= label.max
      ? [{ path: 'contract.label.min', message: `must be less than max (${label.max})` }]
      : [],
  metrics: [
    ...[known.mae, known.rmse, known.medianAbsoluteError, known.r2, known.mape, known.smape],
    ...[known.pinball, known.intervalCoverage, known.intervalWidth],
  ],
  headline: ['mae', 'r2'],
  measurer: (rows, { signature }) => regressionMeasurer(rows, signature.quantiles),
  counts: () => ({}),
  sections: (rows, { signature: { quantiles } }) => ({
    residuals: residualQuantiles(rows),
    ...(quantiles.length > 0 && { coverage: quantileCoverage(rows, quantiles) }),
  }),
  implausible: { key: 'r2', from: 0.9999, rowsMin: 100 },
  nativeColumns: ({ quantiles }) => [
    { name: 'value', place: 0, relative: true },
    ...quantiles.map((_, at) => ({ name: `quantile_${at}`, place: at + 1, relative: true })),
  ],
};
