import type { Task } from './task.js';

/** Yes or no: the answer is the chance of yes, and a class by the version's threshold. */
export const binary: Task = {
  name: 'binary',
  title: 'Binary classification',
  labelTypes: ['boolean'],
  outputs: () => [
    { name: 'label', datatype: 'INT64', width: null },
    { name: 'probabilities', datatype: 'FP32', width: 2 },
  ],
  graphOutputs: () => [{ name: 'probabilities', width: 2, holds: 'chances' }],
  problems: () => [],
};
