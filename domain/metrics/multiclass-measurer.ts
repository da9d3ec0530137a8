import { rowCount, scoreColumn, type Measurer, type ScoredRows } from './measurer.js';
import { rankScores, type RankedScores, type RowWeights } from '../statistics/ranked-scores.js';
import { logLossClip } from '../statistics/row-losses.js';

/** Of more classes the areas are left out: each costs a sorted copy of the rows. */
export const aucClassesMax = 50;

/**
 * Metrics of a multiclass model; the scores are a chance for each class, the prediction is the likeliest, the first of
 * equal ones. Macro means are over the classes that count: those among labels or predictions for F1, those among labels
 * for balanced accuracy, those that some rows have and some have not for the area under the ROC curve of one class
 * against the rest.
 * @param named classes by place that are also measured one by one, and what they are called in keys
 */
export function multiclassMeasurer(rows: ScoredRows, named: ReadonlyMap<number, string>): Measurer {
  const count = rowCount(rows);
  const predicted = predictedClasses(rows);
  const { logLosses, squares } = rowLosses(rows);
  const ranked = rows.width <= aucClassesMax ? rankedClasses(rows) : [];
  const totals = new ClassTotals(rows.width);
  return {
    units: count,
    measure(drawn) {
      totals.clear();
      let [all, loss, squared] = [0, 0, 0];
      for (let row = 0; row < count; row++) {
        const weight = drawn ? drawn[row]! : 1;
        if (weight === 0) continue;
        all += weight;
        loss += weight * logLosses[row]!;
        squared += weight * squares[row]!;
        totals.add(rows.labels[row]!, predicted[row]!, weight);
      }
      const areas = ranked.map((one) => oneAgainstRest(one, drawn));
      const measured: Record<string, number> = {
        logLoss: loss / all,
        brier: squared / all,
        accuracy: totals.hits() / all,
        balancedAccuracy: meanDefined(totals.recalls()),
        macroF1: meanDefined(totals.f1s()),
        rocAuc: meanDefined(areas),
      };
      const f1s = totals.f1s();
      for (const [place, name] of named) {
        measured[`f1:${name}`] = totals.labelled[place] === 0 ? Number.NaN : (f1s[place] ?? Number.NaN);
        if (ranked.length > 0) measured[`rocAuc:${name}`] = areas[place] ?? Number.NaN;
      }
      return measured;
    },
  };
}

/** The place of the greatest score of each row, the first of equal ones. */
export function predictedClasses({ scores, width }: ScoredRows): Int32Array {
  const predicted = new Int32Array(width === 0 ? 0 : scores.length / width);
  for (let row = 0; row < predicted.length; row++) {
    const start = row * width;
    let best = 0;
    for (let place = 1; place < width; place++) if (scores[start + place]! > scores[start + best]!) best = place;
    predicted[row] = best;
  }
  return predicted;
}

/** Log loss as scikit-learn's `log_loss` of FP32 chances, and the sum of squared distances (Brier 1950), a row. */
function rowLosses({ labels, scores, width }: ScoredRows) {
  const logLosses = new Float64Array(labels.length);
  const squares = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const start = row * width;
    const own = Math.min(1 - logLossClip, Math.max(logLossClip, scores[start + labels[row]!]!));
    logLosses[row] = -Math.log(own);
    for (let place = 0; place < width; place++)
      squares[row]! += (scores[start + place]! - (place === labels[row] ? 1 : 0)) ** 2;
  }
  return { logLosses, squares };
}

function rankedClasses(rows: ScoredRows): RankedScores[] {
  return Array.from({ length: rows.width }, (_, place) => {
    const isOne = Uint8Array.from(rows.labels, (label) => (label === place ? 1 : 0));
    return rankScores(isOne, scoreColumn(rows, place));
  });
}

/** `rocAuc` with weights in the order of the rows before they were ranked, read in the same pass. */
function oneAgainstRest({ rows, labels, tieEnds }: RankedScores, drawn: RowWeights | undefined): number {
  let [positives, negatives, positivesBefore, negativesBefore, area] = [0, 0, 0, 0, 0];
  for (let rank = 0; rank < rows.length; rank++) {
    const weight = drawn ? drawn[rows[rank]!]! : 1;
    if (labels[rank] === 1) positives += weight;
    else negatives += weight;
    if (tieEnds[rank] !== 1) continue;
    area += (negatives - negativesBefore) * (positives + positivesBefore);
    positivesBefore = positives;
    negativesBefore = negatives;
  }
  return positives === 0 || negatives === 0 ? Number.NaN : area / (2 * positives * negatives);
}

/** Weighted rows of each class: labelled so, predicted so, and both. */
class ClassTotals {
  readonly labelled: Float64Array;
  private readonly predicted: Float64Array;
  private readonly both: Float64Array;

  constructor(classes: number) {
    this.labelled = new Float64Array(classes);
    this.predicted = new Float64Array(classes);
    this.both = new Float64Array(classes);
  }

  clear(): void {
    for (const totals of [this.labelled, this.predicted, this.both]) totals.fill(0);
  }

  add(label: number, predicted: number, weight: number): void {
    this.labelled[label]! += weight;
    this.predicted[predicted]! += weight;
    if (label === predicted) this.both[label]! += weight;
  }

  hits(): number {
    return this.both.reduce((sum, one) => sum + one, 0);
  }

  /** NaN for a class without labels. */
  recalls(): number[] {
    return Array.from(this.both, (both, place) => both / this.labelled[place]!);
  }

  /** NaN for a class that is neither labelled nor predicted. */
  f1s(): number[] {
    return Array.from(this.both, (both, place) => (2 * both) / (this.labelled[place]! + this.predicted[place]!));
  }
}

function meanDefined(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}
