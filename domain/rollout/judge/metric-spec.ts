import { metricName, type JudgedMetric } from './judge-policy.js';
import { losses, type Loss } from './losses.js';
import { slowAnswers, slowBoundMs, type ServingTotals } from '../../serving/serving-totals.js';
import type { Sample } from '../../statistics/constrained-means.js';

/**
 * What was seen of one version: what gateways counted and, by name, the metrics that are read from the prediction log
 * and labels, scaled to [0, 1] by the metric's bounds.
 */
export interface Observed extends ServingTotals {
  samples: Record<string, Sample>;
}

/** Every metric but `scoreDistance`: a mean of values. */
export type MeanMetric = Exclude<JudgedMetric, { metric: 'scoreDistance' }>;

/** How a metric's mean is read: from its scale of 0 to 1 to its own unit and back, and into words. */
export interface MetricSpec {
  name: string;
  /** Begins a sentence: what the mean is of. */
  title: string;
  /** What is counted, in the plural. */
  sampleNoun: string;
  lowerIsBetter: boolean;
  /** The value in the metric's unit is `origin + scale · x`, x from 0 to 1. */
  origin: number;
  scale: number;
  /** In the metric's unit. */
  margin: number;
  harm: number;
  /** Values that each version needs before it is judged. */
  countMin: number;
  /** A value, or a difference of two, in the metric's unit, as people read it. */
  shown: (value: number) => string;
  sampleOf: (observed: Observed) => Sample;
}

export function metricSpecOf(metric: MeanMetric): MetricSpec {
  const name = metricName(metric);
  const logged = {
    name,
    sampleNoun: 'predictions',
    countMin: 1,
    sampleOf: ({ samples }: Observed) => samples[name] ?? { count: 0, sum: 0 },
  };
  switch (metric.metric) {
    case 'errorShare':
      return {
        ...share(metric),
        ...{ name, title: 'Share of requests without an answer', sampleNoun: 'requests', countMin: 1 },
        sampleOf: ({ requests, errors }) => ({ count: requests, sum: errors }),
      };
    case 'slowShare':
      return {
        ...share(metric),
        ...{
          name,
          title: `Share of answers slower than ${slowBoundMs(metric.limitMs)} ms`,
          sampleNoun: 'answers',
          countMin: 1,
        },
        sampleOf: ({ latency }) => {
          const { slow, answers } = slowAnswers(latency, metric.limitMs);
          return { count: answers, sum: slow };
        },
      };
    case 'value':
      return {
        ...logged,
        ...{ title: `Mean of ${metric.name}`, lowerIsBetter: metric.direction === 'lower-is-better', shown: plain },
        ...{ origin: metric.min, scale: metric.max - metric.min, margin: metric.margin, harm: metric.harm },
      };
    case 'quality': {
      const { loss, quantile, margin, harm, minLabels } = metric;
      const { title, unit } = losses[loss];
      return {
        ...logged,
        ...{ sampleNoun: 'labelled predictions', countMin: minLabels, lowerIsBetter: true, origin: 0, margin, harm },
        title: quantile === undefined ? title : `${title} of the quantile ${quantile}`,
        scale: lossMax(metric),
        shown: shownIn[unit],
      };
    }
    case 'outcome': {
      const { min: origin = 0, max = 1, marginPct, harmPct } = metric;
      const isShare = metric.max === undefined;
      const scale = max - origin;
      return {
        ...logged,
        ...{ origin, scale, margin: (scale * marginPct) / 100, harm: (scale * harmPct) / 100 },
        ...{ title: isShare ? 'Share of positive outcomes' : 'Mean outcome', shown: isShare ? percent : plain },
        ...{ sampleNoun: 'labelled predictions', countMin: metric.minLabels },
        lowerIsBetter: metric.direction === 'lower-is-better',
      };
    }
    default:
      return metric satisfies never;
  }
}

/** The greatest loss that counts: 1 on the judge's scale. */
export const lossMax = ({ loss, max }: Extract<JudgedMetric, { metric: 'quality' }>): number =>
  losses[loss].max ?? max ?? 1;

const shownIn: Record<Loss['unit'], (value: number) => string> = {
  percent,
  plain,
  nats: (value) => `${plain(value)} nats`,
};

function share({ marginPct, harmPct }: { marginPct: number; harmPct: number }) {
  return { lowerIsBetter: true, origin: 0, scale: 1, margin: marginPct / 100, harm: harmPct / 100, shown: percent };
}

export function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}

function plain(value: number): string {
  return String(Number(value.toPrecision(4)));
}
