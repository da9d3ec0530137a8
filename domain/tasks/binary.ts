import { metricCatalogue as known } from '../metrics/metric-catalogue.js';
import { binaryMeasurer, rankChances } from '../metrics/binary-measurer.js';
import { calibrationCurve } from '../statistics/calibration.js';
import { rocCurve } from '../statistics/roc-curve.js';
import { scoreHistogram } from '../metrics/score-histogram.js';
import type { Task } from './task.js';

/** Yes or no: the answer is the chance of yes, and a class by the version's threshold. */
export const binary: Task = {
  name: 'binary',
  title: 'Binary classification',
  labelsAreClasses: true,
  hasThreshold: true,
  answers: (label) => `the chance of ${label}`,
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
  labelColumn: 'label',
  logged: () => [{ column: 'probability', from: 1, width: null }],
  compared: {
    bins: 'unit',
    of: ({ values, width }, row) => values[(row + 1) * width - 1] ?? NaN,
  },
  losses: ['error', 'brier', 'logLoss'],
  outcome: 'share',
  problems: () => [],
  metrics: [
    ...[known.rocAuc, known.prAuc, known.logLoss, known.brier, known.calibrationError],
    ...[known.accuracy, known.precision, known.recall, known.f1, known.utility],
  ],
  headline: ['rocAuc', 'logLoss'],
  measurer: binaryMeasurer,
  counts: ({ labels }) => ({ positives: labels.reduce((sum, label) => sum + label, 0) }),
  sections: (rows) => {
    const ranked = rankChances(rows);
    return {
      scoreHistogram: scoreHistogram(ranked.scores),
      calibrationCurve: calibrationCurve(ranked),
      rocCurve: rocCurve(ranked),
    };
  },
  implausible: { key: 'rocAuc', from: 0.999, rowsMin: 0 },
  nativeColumns: () => [{ name: 'probability', place: 1, relative: false }],
};
