import type { Task } from './task.js';

/** A score a row, by which the rows of one group (a query, a user) are put in order. */
export const ranking: Task = {
  name: 'ranking',
  title: 'Ranking',
  labelsAreClasses: false,
  hasThreshold: false,
  labelTypes: ['boolean', 'integer', 'number'],
  outputs: () => [{ name: 'score', datatype: 'FP32', width: null }],
  graphOutputs: () => [{ name: 'score', width: 1, holds: 'numbers' }],
  predictedClasses: null,
  predictedColumn: null,
  logged: () => [{ column: 'score', from: 0, width: null }],
  compared: { what: 'the scores', bins: 'unbounded', of: ({ values, width }, row) => values[row * width] ?? NaN },
  problems: ({ group, entity }) =>
    group !== undefined && entity.includes(group)
      ? []
      : [
          {
            path: 'contract.group',
            message: `must be the column of contract.entity (${entity.join(', ')}) whose rows are ranked together`,
          },
        ],
};
