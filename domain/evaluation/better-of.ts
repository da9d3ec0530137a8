import type { EvaluationPolicy } from './evaluation-policy.js';
import { metricOfKey, type MetricSpec } from '../metrics/metric.js';
import { isMetricName, metricCatalogue } from '../metrics/metric-catalogue.js';

/** Which end of a metric is the good one; `greater` of one that no release knows. */
export function betterOf(key: string, _policy: EvaluationPolicy): MetricSpec['better'] {
  const name = metricOfKey(key);
  return isMetricName(name) ? metricCatalogue[name].better : 'greater';
}
