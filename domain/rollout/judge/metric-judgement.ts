import type { Interval } from '../../metrics/measured.js';
import type { JudgedMetric } from './judge-policy.js';
import { metricSpecOf, type MeanMetric, type Observed } from './metric-spec.js';
import { distanceText, missingText, reasonText } from './verdict-reason.js';
import { meanScore } from '../../serving/serving-totals.js';
import { anytimeDifferenceInterval } from '../../statistics/anytime-difference.js';
import { anytimeDistanceInterval } from '../../statistics/anytime-distance.js';
import type { Sample } from '../../statistics/constrained-means.js';
import { sumOf } from '../../statistics/sum-of.js';
import { fixedDifferenceInterval } from '../../statistics/proportion-difference.js';
import type { TailAlphas } from '../../statistics/proportion-interval.js';
import type { Verdict } from '../../verdict.js';

/**
 * What the judge says of one metric, in the metric's own unit; shares and distances go from 0 to 1. A difference is
 * challenger minus champion.
 */
export interface MetricJudgement {
  /** As `metricName` gives it. */
  metric: string;
  verdict: Verdict;
  /** Means; for `scoreDistance` mean scores. */
  champion: number | null;
  challenger: number | null;
  /** For `scoreDistance` the Kolmogorov-Smirnov distance of the two score histograms. */
  difference: number | null;
  /** Of the difference; either limit has its own chance to err, `confidencePct` is 100 less both. */
  interval: Interval | null;
  margin: number;
  reason: string;
}

/** Which question a metric is asked, and how often. */
export interface MetricQuestion {
  /**
   * `not-worse`: fail beyond the margin, pass within. `better`: pass when the improvement is beyond the margin, fail
   * when it is not.
   */
  decides: 'not-worse' | 'better';
  /** `anytime`: at every look, as often as one likes; `once`: at a number of observations that was settled before. */
  looks: 'anytime' | 'once';
  /** Chances of a wrong fail and of a wrong pass. */
  alphas: { fail: number; pass: number };
}

/**
 * One metric at one look: `fail` when the difference is beyond the margin with confidence, `pass` when it is within
 * with confidence, `inconclusive` between, `no-data` with too few values. The sentences are made in
 * `verdict-reason.ts`.
 */
export function judgeMetric(
  metric: JudgedMetric,
  champion: Observed,
  challenger: Observed,
  question: MetricQuestion,
): MetricJudgement {
  return metric.metric === 'scoreDistance'
    ? judgeScoreDistance(metric.margin, champion.scores, challenger.scores, question.alphas)
    : judgeMean(metric, champion, challenger, question);
}

function judgeMean(
  metric: MeanMetric,
  champion: Observed,
  challenger: Observed,
  question: MetricQuestion,
): MetricJudgement {
  const reading = metricSpecOf(metric);
  const [theirs, ours] = [reading.sampleOf(champion), reading.sampleOf(challenger)];
  const lacking = missingText(reading, theirs, ours);
  if (lacking !== null) return { ...nothing(reading.name, reading.margin), reason: lacking };
  const { decides, looks, alphas } = question;
  const better = decides === 'better';
  // Worse is up from here on: what is better when higher is turned round.
  const [worse, base] = reading.lowerIsBetter ? [ours, theirs] : [theirs, ours];
  const tails = { low: alphas.fail, high: alphas.pass };
  const bounds =
    looks === 'once' ? fixedDifferenceInterval(worse, base, tails) : anytimeDifferenceInterval(worse, base, tails);
  const [low, high] = [reading.scale * bounds.low, reading.scale * bounds.high];
  // To be better by a margin is to be worse by less than minus that margin.
  const verdict = verdictOf(low, high, better ? -reading.margin : reading.margin);
  const mean = ({ count, sum }: Sample) => reading.origin + (reading.scale * sum) / count;
  const interval = reading.lowerIsBetter ? intervalOf(low, high, tails) : intervalOf(-high, -low, tails);
  return {
    metric: reading.name,
    verdict,
    champion: mean(theirs),
    challenger: mean(ours),
    difference: mean(ours) - mean(theirs),
    interval,
    margin: reading.margin,
    reason: reasonText(reading, { theirs, ours, interval, better, mean }),
  };
}

/**
 * Score drift: the Kolmogorov-Smirnov distance of the two score histograms, in `domain/statistics/anytime-distance.ts`.
 */
function judgeScoreDistance(
  margin: number,
  champion: readonly number[],
  challenger: readonly number[],
  alphas: MetricQuestion['alphas'],
): MetricJudgement {
  const metric = 'scoreDistance';
  const [ours, theirs] = [sumOf(challenger), sumOf(champion)];
  if (ours > 0 && theirs > 0 && challenger.length !== champion.length)
    return {
      ...nothing(metric, margin),
      reason: 'Scores cannot be compared: the two versions count them in different bins, as models of two tasks do.',
    };
  const sound = [...challenger, ...champion].every((count) => Number.isInteger(count) && count >= 0);
  if (!sound || ours === 0 || theirs === 0)
    return {
      ...nothing(metric, margin),
      reason: `Scores cannot be compared: challenger ${ours}, champion ${theirs} rows.`,
    };
  const tails: TailAlphas = { low: alphas.fail, high: alphas.pass };
  const { estimate, low, high } = anytimeDistanceInterval(challenger, champion, tails);
  return {
    metric,
    verdict: verdictOf(low, high, margin),
    champion: meanScore(champion),
    challenger: meanScore(challenger),
    difference: estimate,
    interval: intervalOf(low, high, tails),
    margin,
    reason: distanceText({ estimate, low, high, margin, rows: [ours, theirs] }),
  };
}

function verdictOf(low: number, high: number, margin: number): Verdict {
  if (low > margin) return 'fail';
  return high <= margin ? 'pass' : 'inconclusive';
}

function nothing(metric: string, margin: number): Omit<MetricJudgement, 'reason'> {
  return { metric, verdict: 'no-data', champion: null, challenger: null, difference: null, interval: null, margin };
}

function intervalOf(low: number, high: number, alphas: TailAlphas): Interval {
  return { low, high, confidencePct: 100 * (1 - alphas.low - alphas.high) };
}
