import { predictedClasses } from './multiclass-measurer.js';
import type { ScoredRows } from './measurer.js';

/** Of more classes, those with the most rows are told apart and the rest counted together. */
export const confusionClassesMax = 30;
const others = '(other)';

export interface ConfusionMatrix {
  classes: string[];
  /** A list a class of the label, with the rows by their predicted class. */
  counts: number[][];
}

/** Rows by label and predicted class (scikit-learn's `confusion_matrix`), in the order of the model's classes. */
export function confusionMatrix(rows: ScoredRows, classes: readonly string[]): ConfusionMatrix {
  const predicted = predictedClasses(rows);
  const seen = new Array<number>(classes.length).fill(0);
  for (const label of rows.labels) seen[label]!++;
  const shown = classes
    .map((_, place) => place)
    .sort((left, right) => seen[right]! - seen[left]! || left - right)
    .slice(0, confusionClassesMax)
    .sort((left, right) => left - right);
  const placeOf = new Map(shown.map((one, place) => [one, place]));
  const names = shown.map((one) => classes[one] ?? '');
  if (shown.length < classes.length) names.push(others);
  const counts = names.map(() => new Array<number>(names.length).fill(0));
  for (const [row, label] of rows.labels.entries())
    counts[placeOf.get(label) ?? shown.length]![placeOf.get(predicted[row]!) ?? shown.length]!++;
  return { classes: names, counts };
}
