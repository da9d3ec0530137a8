import { scoreColumn, type ScoredRows } from './measurer.js';
import { quantile } from '../statistics/quantile.js';

const probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/** Quantiles of label less value: how far, and to which side, a regression is off. Empty without rows. */
export function residualQuantiles(rows: ScoredRows): { probability: number; value: number }[] {
  const residuals = scoreColumn(rows, 0).map((value, row) => rows.labels[row]! - value);
  if (residuals.length === 0) return [];
  residuals.sort();
  return probabilities.map((probability) => ({ probability, value: quantile(residuals, probability) }));
}

/** For each quantile of the answers, the share of labels at or below it: its probability, if it is right. */
export function quantileCoverage(
  { labels, scores, width }: ScoredRows,
  quantiles: readonly number[],
): { quantile: number; observedShare: number }[] {
  if (labels.length === 0) return [];
  return quantiles.map((one, index) => {
    const below = labels.reduce((sum, label, row) => sum + (label <= scores[row * width + 1 + index]! ? 1 : 0), 0);
    return { quantile: one, observedShare: below / labels.length };
  });
}
