import type { Task } from './task.js';

/** Yes or no: the answer is the chance of yes, and a class by the version's threshold. */
export const binary: Task = {
  name: 'binary',
  title: 'Binary classification',
  labelsAreClasses: true,
  hasThreshold: true,
  labelTypes: ['boolean'],
  outputs: () => [
    { name: 'label', datatype: 'INT64', width: null },
    { name: 'probabilities', datatype: 'FP32', width: 2 },
  ],
  graphOutputs: () => [{ name: 'probabilities', width: 2, holds: 'chances' }],
  predictedClasses: ({ values, width }, threshold) => {
    const places = new Int32Array(values.length / width);
    for (let row = 0; row < places.length; row += 1)
      places[row] = (values[(row + 1) * width - 1] ?? 0) >= threshold ? 1 : 0;
    return places;
  },
  predictedColumn: 'label',
  logged: () => [{ column: 'probability', from: 1, width: null }],
  compared: {
    what: 'the scores',
    bins: 'unit',
    of: ({ values, width }, row) => values[(row + 1) * width - 1] ?? NaN,
  },
  problems: () => [],
};
