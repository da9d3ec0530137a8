import { isCounted, metricName, type JudgedMetric } from './judge/judge-policy.js';
import { metricsOfStage } from './judge/judge.js';
import { metricSpecOf, type Observed } from './judge/metric-spec.js';
import { alphaOfStage } from './rollout-plan.js';
import type { JudgedPolicy } from './rollout-policy.js';
import type { RolloutStage } from './judge/rollout-stage.js';
import { AnytimeDifference } from '../statistics/anytime-difference.js';
import { sumOf } from '../statistics/sum-of.js';

/** What is known of a model's traffic before a rollout. */
export interface RecentTraffic {
  /** Of the whole model; null when nothing is known, 0 counts as that too. */
  requestsPerSecond: number | null;
  /** The champion's totals of the last while; null when there are none. */
  champion: Observed | null;
  /**
   * Names of the metrics of which nothing was counted yet: `champion` has what its holdout lets one expect, if each
   * request gets its label.
   */
  byHoldout?: readonly string[];
}

/**
 * What a metric's needs are reckoned from: what was counted; the champion's holdout; 1 percent of errors or slow
 * answers, taken because nothing was counted; nothing.
 */
export const sampleSizeBases = ['counted', 'holdout', 'assumed', 'unknown'] as const;

export interface MetricSampleSize {
  /** As `metricName` gives it. */
  metric: string;
  /**
   * Requests of the challenger after which the named harm fails it, nine times in ten; for an A/B test's outcome: after
   * which an improvement of that size wins. Null when unknown or over 100 million.
   */
  requestsToSeeHarm: number | null;
  /**
   * Requests of the challenger after which one that does not differ passes, nine times in ten. Null as above, and for
   * an A/B test's outcome.
   */
  requestsToPass: number | null;
  basis: (typeof sampleSizeBases)[number];
}

export interface StageSampleSize {
  stage: string;
  metrics: MetricSampleSize[];
  /** The most that any metric needs; null when one of them is unknown. */
  requests: number | null;
  /** The time in which the challenger gets so many at the present traffic; null when either is unknown. */
  seconds: number | null;
}

const requestsMax = 100_000_000;
const assumedShare = 0.01;
/** The 90th percentile of the standard normal distribution. */
const nineInTen = 1.2815515655446004;

/**
 * The minimum detectable effect turned round: what each stage needs to see the harm that the policy names, and to pass
 * when there is none. Pure arithmetic, milliseconds.
 */
export function stageSampleSizes(
  policy: JudgedPolicy,
  stages: readonly RolloutStage[],
  traffic: RecentTraffic,
): StageSampleSize[] {
  const { judge } = policy;
  const alpha = alphaOfStage(policy, stages);
  return stages.map((stage) => {
    // A stage that compares with nothing, as that of a version that only stands by, waits for no requests.
    if (stage.comparison === 'none') return { stage: stage.name, metrics: [], requests: 0, seconds: 0 };
    const outcome = policy.strategy === 'ab' && stage.decides === 'better' ? policy.outcome : null;
    const metrics = metricsOfStage({ policy: judge, alpha, stage, outcome }).map(({ metric, alpha: fail }) =>
      effectOf(metric, { stage, alphas: { fail, pass: judge.alpha }, better: metric === outcome, traffic }),
    );
    const needed = metrics.flatMap(({ metric, requestsToSeeHarm, requestsToPass }) =>
      outcome !== null && metric === metricName(outcome) ? [requestsToSeeHarm] : [requestsToSeeHarm, requestsToPass],
    );
    const requests = needed.includes(null) ? null : Math.max(0, ...needed.map(Number));
    const perSecond =
      ((traffic.requestsPerSecond ?? 0) * (stage.shadowPct > 0 ? stage.shadowPct : stage.challengerPct)) / 100;
    return {
      stage: stage.name,
      metrics,
      requests,
      seconds: requests === null || !(perSecond > 0) ? null : requests / perSecond,
    };
  });
}

interface MetricQuestion {
  stage: RolloutStage;
  alphas: { fail: number; pass: number };
  /** An A/B test's outcome: the harm is how much better the challenger is. */
  better: boolean;
  traffic: RecentTraffic;
}

function effectOf(
  metric: JudgedMetric,
  { stage, alphas, better, traffic: { champion, byHoldout = [] } }: MetricQuestion,
): MetricSampleSize {
  const name = metricName(metric);
  const ratio = championPerChallenger(stage);
  if (metric.metric === 'scoreDistance') {
    const rows = champion === null ? 0 : sumOf(champion.scores);
    const perRequest = champion !== null && champion.requests > 0 && rows > 0 ? rows / champion.requests : 1;
    // The hardest place for a difference of shares is around one half; that one edge of the distribution shows it alone
    // costs 1/8 of alpha, roughly.
    const at = { perRequest, ratio, margin: metric.margin };
    const seen = requestsFor({
      ...at,
      alpha: alphas.fail / 8,
      base: 0.5 - metric.harm / 2,
      worse: 0.5 + metric.harm / 2,
      verdict: 'fail',
    });
    return {
      metric: name,
      requestsToSeeHarm: seen,
      requestsToPass: requestsFor({ ...at, alpha: alphas.pass, base: 0.5, worse: 0.5, verdict: 'pass' }),
      basis: 'counted',
    };
  }
  const reading = metricSpecOf(metric);
  const { count, sum } = champion ? reading.sampleOf(champion) : { count: 0, sum: 0 };
  const known = champion !== null && champion.requests > 0 && count > 0;
  if (!known && !isCounted(metric))
    return { metric: name, requestsToSeeHarm: null, requestsToPass: null, basis: 'unknown' };
  const basis = !known ? 'assumed' : byHoldout.includes(name) ? 'holdout' : 'counted';
  const share = known ? sum / count : assumedShare;
  // From here on more is worse: a metric of which more is better is turned round.
  const base = reading.lowerIsBetter ? share : 1 - share;
  const at = { perRequest: known ? count / champion.requests : 1, ratio, margin: reading.margin / reading.scale };
  const harm = reading.harm / reading.scale;
  const least = Math.ceil(reading.countMin / at.perRequest / Math.min(1, ratio));
  const floor = (requests: number | null) => (requests === null ? null : Math.max(least, requests));
  if (better) {
    const wins = requestsFor({
      ...at,
      alpha: alphas.pass,
      base: Math.max(0, base - harm),
      worse: base,
      verdict: 'fail',
    });
    return { metric: name, requestsToSeeHarm: floor(wins), requestsToPass: null, basis };
  }
  const seen = requestsFor({ ...at, alpha: alphas.fail, base, worse: Math.min(1, base + harm), verdict: 'fail' });
  const passes = requestsFor({ ...at, alpha: alphas.pass, base, worse: base, verdict: 'pass' });
  return { metric: name, requestsToSeeHarm: floor(seen), requestsToPass: floor(passes), basis };
}

/** Requests of the champion for each of the challenger's. Those from before a stage are taken to be as many. */
function championPerChallenger({ comparison, shadowPct, challengerPct }: RolloutStage): number {
  if (comparison === 'before' || challengerPct >= 100) return 1;
  return shadowPct > 0 ? 100 / shadowPct : (100 - challengerPct) / challengerPct;
}

interface Needed {
  /** True means of the two groups, scaled to [0, 1]; more is worse. */
  base: number;
  worse: number;
  margin: number;
  alpha: number;
  verdict: 'fail' | 'pass';
  perRequest: number;
  ratio: number;
}

/**
 * Requests after which the verdict comes nine times in ten: totals that are worse for it than nine in ten are, by the
 * normal curve, must still give it.
 */
function requestsFor({ base, worse, margin, alpha, verdict, perRequest, ratio }: Needed): number | null {
  const comes = (requests: number): boolean => {
    const [count, baseCount] = [requests * perRequest, requests * perRequest * ratio];
    const spread = Math.sqrt((worse * (1 - worse)) / count + (base * (1 - base)) / baseCount);
    const unlucky = Math.min(1, Math.max(0, worse + (verdict === 'fail' ? -nineInTen : nineInTen) * spread));
    const difference = new AnytimeDifference(
      { count, sum: unlucky * count },
      { count: baseCount, sum: base * baseCount },
    );
    const right = verdict === 'fail' ? difference.estimate > margin : difference.estimate < margin;
    return right && difference.logEvidenceAgainst(margin) >= -Math.log(alpha);
  };
  let high = 1;
  while (!comes(high)) {
    if (high > requestsMax) return null;
    high *= 2;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (comes(middle)) high = middle;
    else low = middle;
  }
  return high;
}
