import type { Interval } from './evaluation.js';
import type { JudgePolicy, RolloutStep } from './rollout-policy.js';
import { meanScore, slowAnswers, slowBoundMs, type ServingTotals } from './serving-totals.js';
import { histogramDistance, massartBound, total } from './statistics/histogram-distance.js';
import { exactDifferenceInterval, type Count } from './statistics/proportion-difference.js';
import type { TailAlphas } from './statistics/proportion-interval.js';
import { worstVerdict, type Verdict } from './verdict.js';

export const judgedMetrics = ['errorShare', 'slowShare', 'scoreDistance'] as const;
export type JudgedMetric = (typeof judgedMetrics)[number];

/** What the judge says of one metric. Shares and distances go from 0 to 1; a difference is challenger minus champion. */
export interface MetricJudgement {
  metric: JudgedMetric;
  verdict: Verdict;
  /** Shares of requests; for `scoreDistance` mean scores. */
  champion: number | null;
  challenger: number | null;
  /** For `scoreDistance` the Kolmogorov-Smirnov distance of the two score histograms. */
  difference: number | null;
  /** Of the difference; either limit has its own chance to err, `confidencePct` is 100 less both. */
  interval: Interval | null;
  margin: number;
  reason: string;
}

export interface StepJudgement {
  verdict: Verdict;
  metrics: MetricJudgement[];
  /** At 100 percent the champion has no traffic left: its totals are those of the step before. */
  championFrom: 'same-minutes' | 'step-before';
  /** One sentence on why there is nothing to judge yet; null when the metrics were judged. */
  waitsFor: string | null;
}

export interface StepInput {
  policy: JudgePolicy;
  step: Pick<RolloutStep, 'sharePct' | 'minRequests'>;
  /** The champion's totals in the same minutes, at 100 percent those of the step before. */
  champion: ServingTotals | null;
  challenger: ServingTotals;
  /** How often this step may be looked at; the more often, the more requests a verdict needs. */
  looksPlannedMax: number;
}

/**
 * Judges one step of a canary at one look. `fail` when the difference is beyond its margin, `pass` when it is within, each but for the policy's alpha over all looks of the step;
 * else `inconclusive`. A wrong fail can come from any metric at any look, so alpha is shared among all of them (Bonferroni). A wrong pass needs the harmful metric itself
 * to pass, so alpha is shared among the looks alone (intersection-union test, Berger 1982). Requests are taken as independent.
 */
export function judgeStep({ policy, step, champion, challenger, looksPlannedMax }: StepInput): StepJudgement {
  const championFrom = step.sharePct >= 100 ? 'step-before' : 'same-minutes';
  const waitsFor = missing(step, champion, challenger);
  if (waitsFor !== null || champion === null) return { verdict: 'no-data', metrics: [], championFrom, waitsFor };
  const looks = Math.max(1, looksPlannedMax);
  const alphas: TailAlphas = { low: policy.alpha / judgedMetrics.length / looks, high: policy.alpha / looks };
  const bound = slowBoundMs(policy.latencyLimitMs);
  const slow = (totals: ServingTotals): Count => {
    const counted = slowAnswers(totals.latency, policy.latencyLimitMs);
    return { successes: counted.slow, trials: counted.answers };
  };
  const failed = (totals: ServingTotals): Count => ({ successes: totals.errors, trials: totals.requests });
  const metrics = [
    judgeShare('errorShare', 'requests without an answer', failed(challenger), failed(champion), policy.errorShareMarginPct / 100, alphas),
    judgeShare('slowShare', `answers slower than ${bound} ms`, slow(challenger), slow(champion), policy.slowShareMarginPct / 100, alphas),
    // Other minutes bring other rows, and other rows other scores: only the same minutes tell the versions apart.
    ...(championFrom === 'same-minutes' ? [judgeScores(challenger.scores, champion.scores, policy.scoreDistanceMax, alphas)] : []),
  ];
  return { verdict: worstVerdict(metrics.map((metric) => metric.verdict)), metrics, championFrom, waitsFor: null };
}

function missing(step: StepInput['step'], champion: ServingTotals | null, challenger: ServingTotals): string | null {
  const lacking = step.minRequests - challenger.requests;
  if (!(lacking <= 0)) return `The challenger has answered ${challenger.requests} of ${step.minRequests} requests, ${lacking} are missing.`;
  if (champion && champion.requests > 0) return null;
  return step.sharePct >= 100
    ? 'No requests of the champion from the step before are known.'
    : 'The champion has had no requests in the same minutes.';
}

function judgeShare(
  metric: JudgedMetric,
  what: string,
  challenger: Count,
  champion: Count,
  margin: number,
  alphas: TailAlphas,
): MetricJudgement {
  const sound = ({ successes, trials }: Count) =>
    Number.isInteger(successes) && Number.isInteger(trials) && trials > 0 && successes >= 0 && successes <= trials;
  if (!sound(challenger) || !sound(champion)) {
    const counts = `challenger ${challenger.successes} of ${challenger.trials}, champion ${champion.successes} of ${champion.trials}`;
    return { ...nothing(metric, margin), reason: `The ${what} cannot be compared: ${counts}.` };
  }
  const { estimate, low, high } = exactDifferenceInterval(challenger, champion, alphas);
  const shares = { champion: champion.successes / champion.trials, challenger: challenger.successes / challenger.trials };
  const verdict = verdictOf(low, high, margin);
  const counted = `${percent(shares.challenger)} of the challenger's ${challenger.trials} and ${percent(shares.champion)} of the champion's ${champion.trials}`;
  const reason = `Share of ${what}: ${counted}; the difference lies between ${percent(low)} and ${percent(high)}, ${percent(margin)} more is accepted.`;
  return { metric, verdict, ...shares, difference: estimate, interval: intervalOf(low, high, alphas), margin, reason };
}

function judgeScores(challenger: readonly number[], champion: readonly number[], margin: number, alphas: TailAlphas): MetricJudgement {
  const metric = 'scoreDistance';
  const [ours, theirs] = [total(challenger), total(champion)];
  if (!(ours > 0) || !(theirs > 0))
    return { ...nothing(metric, margin), reason: `Scores cannot be compared: challenger ${ours}, champion ${theirs} rows.` };
  const distance = histogramDistance(challenger, champion);
  const spread = (alpha: number) => massartBound(ours, alpha / 2) + massartBound(theirs, alpha / 2);
  const low = Math.max(0, distance - spread(alphas.low));
  const high = Math.min(1, distance + spread(alphas.high));
  const means = { champion: meanScore(champion), challenger: meanScore(challenger) };
  const limits = `${distance.toFixed(3)} over ${ours} and ${theirs} rows, between ${low.toFixed(3)} and ${high.toFixed(3)}`;
  const reason = `Distance between the score distributions: ${limits}; up to ${margin} is accepted.`;
  return {
    metric,
    verdict: verdictOf(low, high, margin),
    ...means,
    difference: distance,
    interval: intervalOf(low, high, alphas),
    margin,
    reason,
  };
}

function verdictOf(low: number, high: number, margin: number): Verdict {
  if (low > margin) return 'fail';
  return high <= margin ? 'pass' : 'inconclusive';
}

function nothing(metric: JudgedMetric, margin: number): Omit<MetricJudgement, 'reason'> {
  return { metric, verdict: 'no-data', champion: null, challenger: null, difference: null, interval: null, margin };
}

function intervalOf(low: number, high: number, alphas: TailAlphas): Interval {
  return { low, high, confidencePct: 100 * (1 - alphas.low - alphas.high) };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
