import { metricCatalogue as known } from '../metrics/metric-catalogue.js';
import { gainCurve } from '../metrics/gain-curve.js';
import { rankGroups, rankingMeasurer } from '../metrics/ranking-measurer.js';
import type { Task } from './task.js';

/** A score a row, by which the rows of one group (a query, a user) are put in order. */
export const ranking: Task = {
  name: 'ranking',
  title: 'Ranking',
  labelsAreClasses: false,
  hasThreshold: false,
  answers: (label) => `a score by which rows of one group are put in order of ${label}`,
  labelTypes: ['boolean', 'integer', 'number'],
  outputs: () => [{ name: 'score', datatype: 'FP32', width: null }],
  graphOutputs: () => [{ name: 'score', width: 1, holds: 'numbers' }],
  predictedClasses: null,
  predictedColumn: null,
  labelColumn: 'label_number',
  logged: () => [{ column: 'score', from: 0, width: null }],
  compared: { bins: 'unbounded', of: ({ values, width }, row) => values[row * width] ?? NaN },
  losses: [],
  outcome: null,
  problems: ({ group, entity }) =>
    group !== undefined && entity.includes(group)
      ? []
      : [
          {
            path: 'contract.group',
            message: `must be the column of contract.entity (${entity.join(', ')}) whose rows are ranked together`,
          },
        ],
  leastLabel: 0,
  metrics: [known.ndcg, known.recallAtK, known.mapAtK, known.mrr],
  headline: ['ndcg@10', 'recallAtK@10'],
  measurer: (rows, { ks }) => rankingMeasurer(rows, ks),
  counts: (rows) => ({ groups: rankGroups(rows).filter(({ relevant }) => relevant > 0).length }),
  sections: (rows) => ({ gainCurve: gainCurve(rows) }),
  implausible: { key: 'ndcg@10', from: 0.9999, rowsMin: 1000 },
  nativeColumns: () => [{ name: 'score', place: 0, relative: true }],
};
