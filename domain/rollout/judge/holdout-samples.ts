import type { Metrics } from '../../metrics/measured.js';
import { metricName, type JudgedMetric } from './judge-policy.js';
import { losses } from './losses.js';
import { lossMax } from './metric-spec.js';
import type { SnapshotManifest } from '../../data/snapshot/snapshot.js';
import type { Sample } from '../../statistics/constrained-means.js';

/** What is known of a version from before it served. */
export interface HoldoutResult {
  metrics: Metrics;
  holdout: Pick<SnapshotManifest['holdout'][number], 'rows' | 'positives'>[];
}

/**
 * What to expect of the metrics that are read from labels, by the version's own holdout, if each of `requests` gets its
 * label. Of an expression over predictions a holdout says nothing, so `value` metrics are left out.
 */
export function holdoutSamples(
  metrics: readonly JudgedMetric[],
  result: HoldoutResult,
  requests: number,
): Record<string, Sample> {
  const found: Record<string, Sample> = {};
  for (const metric of metrics) {
    const mean = meanOf(metric, result);
    if (mean !== null) found[metricName(metric)] = { count: requests, sum: requests * mean };
  }
  return found;
}

/** On the judge's scale of 0 to 1; a mean of clipped losses is expected to be no greater than that of all. */
function meanOf(metric: JudgedMetric, { metrics, holdout }: HoldoutResult): number | null {
  if (metric.metric === 'outcome') {
    const rows = holdout.reduce((sum, file) => sum + file.rows, 0);
    // A snapshot counts positive labels; of numbers it says nothing.
    if (rows === 0 || metric.max !== undefined) return null;
    return holdout.reduce((sum, file) => sum + file.positives, 0) / rows;
  }
  if (metric.metric !== 'quality') return null;
  const mean = losses[metric.loss].ofHoldout(metrics, metric.quantile ?? NaN);
  return typeof mean === 'number' ? Math.min(1, mean / lossMax(metric)) : null;
}
