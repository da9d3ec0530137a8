import { isLogged, metricName, type JudgedMetric } from './judge-policy.js';
import type { Sample } from '../../statistics/constrained-means.js';

/** What a look of an earlier rollout read of the champion. */
export interface PastLook {
  metrics: readonly JudgedMetric[];
  requests: number;
  samples: Readonly<Record<string, Sample>>;
}

/**
 * What to expect of the metrics that are read from the prediction log and labels, before a rollout has read anything:
 * the newest look that counted a metric on the same scale tells. Counts and sums are those of so many `requests`, and
 * no whole numbers.
 */
export function pastSamples(
  metrics: readonly JudgedMetric[],
  looks: readonly PastLook[],
  requests: number,
): Record<string, Sample> {
  const found: Record<string, Sample> = {};
  for (const metric of metrics.filter(isLogged)) {
    const name = metricName(metric);
    const look = looks.find(
      (one) => one.requests > 0 && (one.samples[name]?.count ?? 0) > 0 && one.metrics.some(onScaleOf(metric)),
    );
    const sample = look?.samples[name];
    if (look && sample) {
      const perRequest = requests / look.requests;
      found[name] = { count: sample.count * perRequest, sum: sample.sum * perRequest };
    }
  }
  return found;
}

/** A mean lies between its own bounds, which must be the same; losses without bounds of their own have a `max`. */
const onScaleOf = (metric: JudgedMetric) => (other: JudgedMetric) => {
  if (metricName(other) !== metricName(metric)) return false;
  const boundsOf = (one: JudgedMetric) => ['from', 'min', 'max'].map((name) => Reflect.get(one, name) as unknown);
  return boundsOf(metric).every((bound, index) => bound === boundsOf(other)[index]);
};
