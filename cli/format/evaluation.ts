import type { Interval } from '../../domain/metrics/measured.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { inReportOrder } from '../../domain/metrics/metric-catalogue.js';
import { headlineOf } from '../../domain/tasks/headline.js';
import type { Output } from '../output.js';
import { table } from './table.js';
import { metric } from './words.js';

/** An evaluation for people: metrics with their intervals, beside the champion's on the same rows. */
export function describeMetrics(
  output: Output,
  { overall, comparison, championVersion }: Evaluation,
  version: number,
): string {
  const keys = inReportOrder(Object.keys(overall.metrics));
  const percent = Object.values(overall.intervals)[0]?.confidencePct;
  const head = ['metric', `version ${version}`, percent === undefined ? 'interval' : `${percent} % interval`];
  const rows = keys.map((key) => [key, metric(overall.metrics[key]), interval(overall.intervals[key])]);
  if (!comparison) return table(output, head, rows);
  return table(
    output,
    [...head, `version ${championVersion} (champion), same rows`, 'difference', 'its interval'],
    rows.map((row, at) => {
      const key = keys[at] ?? '';
      const difference = comparison.differences[key];
      return [...row, metric(comparison.champion[key]), metric(difference?.estimate), interval(difference?.interval)];
    }),
  );
}

/** Level by level, where a model that is better as a whole may be worse. Null where nothing was sliced. */
export function describeSlices(output: Output, { overall, slices, championVersion }: Evaluation): string | null {
  if (slices.length === 0) return null;
  const compared = slices.some(({ comparison }) => comparison !== null);
  const counted = slices.some(({ scored }) => scored.positives !== undefined);
  const [main, second = main] = headlineOf(overall.metrics);
  if (main === undefined || second === undefined)
    return table(
      output,
      ['slice', 'rows'],
      slices.map(({ feature, level, scored }) => [`${feature} ${level}`, scored.rows]),
    );
  return table(
    output,
    [
      ...['slice', 'rows', ...(counted ? ['positive'] : [])],
      ...[main.title, 'its interval', second.title],
      ...(compared ? [`${second.title} of version ${championVersion}`, 'difference', 'its interval'] : []),
    ],
    slices.map(({ feature, level, scored, comparison }) => [
      ...[`${feature} ${level}`, scored.rows, ...(counted ? [scored.positives ?? null] : [])],
      ...[metric(scored.metrics[main.key]), interval(scored.intervals[main.key]), metric(scored.metrics[second.key])],
      ...(compared
        ? [
            metric(comparison?.champion[second.key]),
            metric(comparison?.differences[second.key]?.estimate),
            interval(comparison?.differences[second.key]?.interval),
          ]
        : []),
    ]),
  );
}

const interval = (one: Interval | undefined): string =>
  one === undefined ? '–' : `${metric(one.low)} to ${metric(one.high)}`;

/** How metrics differ from fold to fold. Null where the version was not cross-validated. */
export function describeFolds(output: Output, { folds }: Evaluation): string | null {
  if (!folds) return null;
  const rows = inReportOrder(Object.keys(folds.metrics)).map((key) => {
    const { mean, sd, min, max } = folds.metrics[key] ?? {};
    return [key, metric(mean), metric(sd), metric(min), metric(max)];
  });
  return table(output, [`over ${folds.rows.length} folds`, 'mean', 'standard deviation', 'least', 'greatest'], rows);
}
