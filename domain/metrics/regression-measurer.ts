import { rowCount, scoreColumn, type Measurer, type ScoredRows } from './measurer.js';
import type { RowWeights } from '../statistics/ranked-scores.js';
import { pinballLoss, smapeOf } from './regression-losses.js';
import { sortValues, weightedMedian } from '../statistics/weighted-median.js';

/**
 * Metrics of a regression whose scores are the value and then its quantiles, if any. `mape` divides by the label and is
 * not defined where one is 0; `r2` is not defined where all labels are the same. Means are over rows.
 * @param quantiles probabilities of the quantiles, rising
 */
export function regressionMeasurer(rows: ScoredRows, quantiles: readonly number[]): Measurer {
  const count = rowCount(rows);
  const { labels } = rows;
  const absolute = scoreColumn(rows, 0).map((value, row) => Math.abs(value - labels[row]!));
  const byError = sortValues(absolute);
  // Labels are shifted by their median, so that their variance does not drown in their mean.
  const { values: sorted } = sortValues(labels);
  const centre = sorted[count >> 1] ?? 0;
  const { names, table } = lossTable(rows, quantiles, absolute, centre);
  const sums = new Float64Array(names.length);
  return {
    units: count,
    measure(drawn) {
      const all = addUp(table, sums, drawn, count);
      const mean = (name: string) => sums[names.indexOf(name)]! / all;
      const { errors, shifted, squares } = { errors: sums[0]!, shifted: sums[1]!, squares: sums[2]! };
      const spread = squares - (shifted * shifted) / all;
      const measured: Record<string, number> = {
        mae: mean('mae'),
        rmse: Math.sqrt(errors / all),
        medianAbsoluteError: weightedMedian(byError, drawn),
        r2: spread > squares * 1e-12 ? 1 - errors / spread : Number.NaN,
      };
      for (const name of names.slice(4)) measured[name] = mean(name);
      return measured;
    },
  };
}

/** Losses of each row side by side, so that one pass adds them all up. */
function lossTable(
  { labels, scores, width }: ScoredRows,
  quantiles: readonly number[],
  absolute: Float64Array,
  centre: number,
) {
  const outer = quantiles.length > 1;
  const names = [
    ...['squaredError', 'shifted', 'squares', 'mae', 'mape', 'smape'],
    ...(quantiles.length > 0 ? ['pinball', ...quantiles.map((one) => `pinball@${one}`)] : []),
    ...(outer ? ['intervalCoverage', 'intervalWidth'] : []),
  ];
  const table = new Float64Array(labels.length * names.length);
  for (let row = 0, at = 0; row < labels.length; row++) {
    const [label, value, error] = [labels[row]!, scores[row * width]!, absolute[row]!];
    table[at++] = error * error;
    table[at++] = label - centre;
    table[at++] = (label - centre) ** 2;
    table[at++] = error;
    table[at++] = label === 0 ? Number.NaN : error / Math.abs(label);
    table[at++] = smapeOf(label, value);
    if (quantiles.length === 0) continue;
    const mean = at++;
    for (const [index, quantile] of quantiles.entries()) {
      const loss = pinballLoss(label, scores[row * width + 1 + index]!, quantile);
      table[mean]! += loss / quantiles.length;
      table[at++] = loss;
    }
    if (!outer) continue;
    const [low, high] = [scores[row * width + 1]!, scores[row * width + quantiles.length]!];
    table[at++] = label >= low && label <= high ? 1 : 0;
    table[at++] = high - low;
  }
  return { names, table };
}

/** @returns the number of rows that count */
function addUp(table: Float64Array, sums: Float64Array, drawn: RowWeights | undefined, count: number): number {
  sums.fill(0);
  const width = sums.length;
  let all = 0;
  for (let row = 0, at = 0; row < count; row++, at += width) {
    const weight = drawn ? drawn[row]! : 1;
    if (weight === 0) continue;
    all += weight;
    for (let column = 0; column < width; column++) sums[column]! += weight * table[at + column]!;
  }
  return all;
}
