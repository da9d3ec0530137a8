import type { Task } from './task.js';

/** A number, with quantiles of it where the contract asks for them. */
export const regression: Task = {
  name: 'regression',
  title: 'Regression',
  labelsAreClasses: false,
  hasThreshold: false,
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
  logged: ({ quantiles }) => [
    { column: 'value', from: 0, width: null },
    ...(quantiles.length > 0 ? [{ column: 'quantiles' as const, from: 1, width: quantiles.length }] : []),
  ],
  compared: { what: 'the values', bins: 'unbounded', of: ({ values, width }, row) => values[row * width] ?? NaN },
  problems: ({ label }) =>
    label?.type === 'number' && label.min !== undefined && label.max !== undefined && label.min >= label.max
      ? [{ path: 'contract.label.min', message: `must be less than max (${label.max})` }]
      : [],
};
