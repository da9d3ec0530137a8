import { metricCatalogue as known } from '../metrics/metric-catalogue.js';
import { confusionMatrix } from '../metrics/confusion-matrix.js';
import { multiclassMeasurer } from '../metrics/multiclass-measurer.js';
import type { Scores } from './scores.js';
import type { Task } from './task.js';

/** One class of several: the answer is the chance of each, and the likeliest. */
export const multiclass: Task = {
  name: 'multiclass',
  title: 'Multiclass classification',
  labelsAreClasses: true,
  hasThreshold: false,
  answers: (label) => `the chance of each class of ${label}`,
  labelTypes: ['string', 'integer'],
  outputs: ({ classes }) => [
    { name: 'label', datatype: typeof classes[0] === 'string' ? 'BYTES' : 'INT64', width: null },
    { name: 'probabilities', datatype: 'FP32', width: classes.length },
  ],
  graphOutputs: ({ classes }) => [{ name: 'probabilities', width: classes.length, holds: 'chances' }],
  predictedClasses: (scores) => {
    const places = new Int32Array(scores.values.length / scores.width);
    for (let row = 0; row < places.length; row += 1) places[row] = likeliest(scores, row);
    return places;
  },
  predictedColumn: 'predicted',
  labelColumn: 'label_class',
  logged: ({ classes }) => [{ column: 'probabilities', from: 0, width: classes.length, each: 'probability' }],
  compared: {
    bins: 'unit',
    // Class after class, within one by its probability: both a shift of classes and one of confidence are seen.
    of: (scores, row) => {
      const place = likeliest(scores, row);
      const chance = Math.min(scores.values[row * scores.width + place] ?? NaN, 1 - 2 ** -24);
      return (place + chance) / scores.width;
    },
  },
  losses: ['error', 'brier', 'logLoss'],
  outcome: null,
  problems: ({ label }) => {
    const classes: readonly (string | number)[] =
      label !== undefined && 'classes' in label ? (label.classes ?? []) : [];
    const twice = classes.find((one, index) => classes.indexOf(one) !== index);
    return twice === undefined ? [] : [{ path: 'contract.label.classes', message: `${twice} is listed twice` }];
  },
  metrics: [
    { ...known.rocAuc, takes: { qualifier: 'class', need: 'may' } },
    ...[known.macroF1, known.balancedAccuracy, known.logLoss, { ...known.brier, greatest: 2 }, known.accuracy],
    { ...known.f1, takes: { qualifier: 'class', need: 'must' } },
  ],
  headline: ['macroF1', 'logLoss'],
  measurer: (rows, { signature, classes }) =>
    multiclassMeasurer(rows, new Map(classes.map((one) => [signature.classes.indexOf(one), String(one)]))),
  counts: () => ({}),
  sections: (rows, { signature }) => ({ confusion: confusionMatrix(rows, signature.classes.map(String)) }),
  implausible: { key: 'accuracy', from: 0.999, rowsMin: 1000 },
  nativeColumns: ({ classes }) => classes.map((_, place) => ({ name: `probability_${place}`, place, relative: false })),
};

/** The first of the likeliest classes, as scikit-learn's `argmax` has it. */
function likeliest({ values, width }: Scores, row: number): number {
  let best = 0;
  const first = row * width;
  for (let place = 1; place < width; place += 1)
    if ((values[first + place] ?? 0) > (values[first + best] ?? 0)) best = place;
  return best;
}
