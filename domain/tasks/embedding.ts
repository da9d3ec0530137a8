import { rowCount } from '../metrics/measurer.js';
import { vectorNorms } from '../metrics/vector-norms.js';
import type { Task } from './task.js';

/** Numbers of a vector that the prediction log keeps whole. */
const loggedMax = 256;

/** A vector a row; there is no label. */
export const embedding: Task = {
  name: 'embedding',
  title: 'Embedding',
  labelsAreClasses: false,
  hasThreshold: false,
  answers: () => 'a vector',
  labelTypes: [],
  outputs: ({ length }) => [{ name: 'embedding', datatype: 'FP32', width: length }],
  graphOutputs: ({ length }) => [{ name: 'embedding', width: length, holds: 'numbers' }],
  predictedClasses: null,
  predictedColumn: null,
  labelColumn: null,
  logged: ({ length }) => [
    { column: 'embedding', from: 0, width: length, ...(length > loggedMax && { digested: true as const }) },
  ],
  compared: {
    bins: 'unbounded',
    of: ({ values, width }, row) => {
      let squares = 0;
      for (let at = row * width; at < (row + 1) * width; at += 1) squares += (values[at] ?? NaN) ** 2;
      return Math.sqrt(squares);
    },
  },
  losses: [],
  outcome: null,
  problems: ({ output }) =>
    output?.length === undefined
      ? [{ path: 'contract.output.length', message: 'must say how many numbers an embedding has' }]
      : [],
  metrics: [],
  headline: [],
  measurer: (rows) => ({ units: rowCount(rows), measure: () => ({}) }),
  counts: () => ({}),
  sections: (rows) => ({ norms: vectorNorms(rows) }),
  nativeColumns: ({ length }) =>
    Array.from({ length }, (_, place) => ({ name: `embedding_${place}`, place, relative: true })),
};
