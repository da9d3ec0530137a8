import type { EvaluationPolicy } from './evaluation-policy.js';
import { ownMetricSpecs } from './own-metric.js';
import { metricOfKey, type MetricSpec } from '../metrics/metric.js';
import { isMetricName, metricCatalogue } from '../metrics/metric-catalogue.js';

/** Which end of a metric is the good one; `greater` of one that no release knows. */
export function betterOf(key: string, { metrics }: Pick<EvaluationPolicy, 'metrics'>): MetricSpec['better'] {
  const name = metricOfKey(key);
  if (isMetricName(name)) return metricCatalogue[name].better;
  return ownMetricSpecs(metrics).find((own) => own.name === name)?.better ?? 'greater';
}
