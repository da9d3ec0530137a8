import type { Task } from './task.js';

/** A vector a row; there is no label. */
export const embedding: Task = {
  name: 'embedding',
  title: 'Embedding',
  labelTypes: [],
  outputs: ({ length }) => [{ name: 'embedding', datatype: 'FP32', width: length }],
  graphOutputs: ({ length }) => [{ name: 'embedding', width: length, holds: 'numbers' }],
  problems: ({ output }) =>
    output?.length === undefined
      ? [{ path: 'contract.output.length', message: 'must say how many numbers an embedding has' }]
      : [],
};
