import type { Evaluation, Interval, MetricName } from '../../domain/evaluation/evaluation.js';
import type { Output } from '../output.js';
import { table } from './table.js';
import { metric } from './words.js';

/** An evaluation for people: metrics with their intervals, beside the champion's on the same rows. */
export function describeMetrics(
  output: Output,
  { overall, comparison, championVersion }: Evaluation,
  version: number,
): string {
  const names = Object.keys(overall.metrics) as MetricName[];
  const percent = Object.values(overall.intervals)[0]?.confidencePct;
  const head = ['metric', `version ${version}`, percent === undefined ? 'interval' : `${percent} % interval`];
  const rows = names.map((name) => [name, metric(overall.metrics[name]), interval(overall.intervals[name])]);
  if (!comparison) return table(output, head, rows);
  return table(
    output,
    [...head, `version ${championVersion} (champion), same rows`, 'difference', 'its interval'],
    rows.map((row, at) => {
      const name = names[at];
      const difference = name && comparison.differences[name];
      return [
        ...row,
        metric(name && comparison.champion[name]),
        metric(difference?.estimate),
        interval(difference?.interval),
      ];
    }),
  );
}

/** Level by level, where a model that is better as a whole may be worse. Null where nothing was sliced. */
export function describeSlices(output: Output, { slices, championVersion }: Evaluation): string | null {
  if (slices.length === 0) return null;
  const compared = slices.some(({ comparison }) => comparison !== null);
  return table(
    output,
    [
      'slice',
      'rows',
      'positive',
      ...['ROC AUC', 'its interval', 'log loss'],
      ...(compared ? [`log loss of version ${championVersion}`, 'difference', 'its interval'] : []),
    ],
    slices.map(({ feature, level, scored, comparison }) => [
      `${feature} ${level}`,
      scored.rows,
      scored.positives,
      ...[metric(scored.metrics.rocAuc), interval(scored.intervals.rocAuc), metric(scored.metrics.logLoss)],
      ...(compared
        ? [
            metric(comparison?.champion.logLoss),
            metric(comparison?.differences.logLoss?.estimate),
            interval(comparison?.differences.logLoss?.interval),
          ]
        : []),
    ]),
  );
}

const interval = (one: Interval | undefined): string =>
  one === undefined ? '–' : `${one.low.toFixed(4)} to ${one.high.toFixed(4)}`;
