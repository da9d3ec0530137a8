import { alphaShares, isCounted, metricName, type JudgedMetric, type JudgePolicy } from './judge-policy.js';
import { judgeMetric, type MetricJudgement } from './metric-judgement.js';
import { metricSpecOf, type Observed } from './metric-spec.js';
import {
  championMissingText,
  leftOutText,
  nothingToCompareText,
  notJudgedText,
  requestsMissingText,
} from './verdict-reason.js';
import type { RolloutStage } from './rollout-stage.js';
import { latencyQuantileMs } from '../../serving/serving-totals.js';
import { worstVerdict, type Verdict } from '../../verdict.js';

export type { MetricJudgement } from './metric-judgement.js';
export type { Observed } from './metric-spec.js';
export type { Sample } from '../../statistics/constrained-means.js';

/** Everything that a judgement depends on: stored with each look, so that it can be made again. */
export interface StageInput {
  policy: JudgePolicy;
  /** This stage's part of `policy.alpha`: the chance that it is wrongly failed, over all its metrics and looks. */
  alpha: number;
  stage: Pick<RolloutStage, 'comparison' | 'decides' | 'minRequests'>;
  /** What decides an A/B test; null elsewhere. */
  outcome: JudgedMetric | null;
  /** Of an A/B test: observations of the outcome that each version needs (`fixed`) or gets at most (`sequential`). */
  horizon: { kind: 'sequential' | 'fixed'; observations: number } | null;
  /** In the same minutes as the challenger; for a stage that compares with `before`, from before the stage. */
  champion: Observed | null;
  challenger: Observed;
  /** Requests left out of both because a version had just been loaded. */
  coldRequests: number;
}

/** In milliseconds, as the latency histogram lets them be told. */
export interface LatencyQuantiles {
  p50: number;
  p95: number;
  p99: number;
}

export interface StageJudgement {
  verdict: Verdict;
  metrics: MetricJudgement[];
  /** At full share the champion has no traffic left: its totals are those from before the stage. */
  championFrom: 'same-minutes' | 'before';
  /** One sentence on what is missing before the stage may pass; null when nothing is. */
  waitsFor: string | null;
  /** One sentence on requests that were not judged; null when there are none. */
  leftOut: string | null;
  /** Shown, never judged: a high quantile of few requests misleads. */
  latency: { champion: LatencyQuantiles | null; challenger: LatencyQuantiles | null };
  /** Of an A/B test; null as long as there is none, and elsewhere. */
  winner: 'challenger' | 'champion' | null;
  /** Both versions have the observations that an A/B test waits for: without a winner now, there is none. */
  atHorizon: boolean;
}

/**
 * Judges one stage at one look. A metric fails when its difference is beyond the margin with confidence and passes when
 * it is within with confidence; else it is inconclusive. The stage fails with any, passes with all. The bounds hold
 * over all looks together, so looking at every batch costs nothing, and a fail counts from the first request; a pass
 * from `minRequests`.
 *
 * A wrong fail can come from any metric, so the metrics share the stage's alpha (Bonferroni). A wrong pass needs the
 * harmful metric itself to pass in every stage, so its alpha is the policy's and not divided (intersection-union test,
 * Berger 1982).
 */
export function judgeStage(input: StageInput): StageJudgement {
  const { stage, champion, challenger, coldRequests } = input;
  const about = {
    championFrom: stage.comparison === 'before' ? ('before' as const) : ('same-minutes' as const),
    leftOut: coldRequests > 0 ? leftOutText(coldRequests) : null,
    latency: { champion: champion && quantiles(champion.latency), challenger: quantiles(challenger.latency) },
    atHorizon: atHorizon(input),
  };
  const nothing = { ...about, verdict: 'no-data' as const, metrics: [], winner: null };
  if (stage.comparison === 'none') return { ...nothing, waitsFor: notJudgedText };
  if (champion === null || !(champion.requests > 0))
    return { ...nothing, waitsFor: championMissingText(about.championFrom) };
  const metrics = metricsOfStage(input).map(({ metric, alpha }) => judge(input, champion, metric, alpha));
  if (metrics.length === 0) return { ...nothing, waitsFor: nothingToCompareText };
  const said = worstVerdict(metrics.map((metric) => metric.verdict));
  const lacking = stage.minRequests - challenger.requests;
  // A fail waits for nothing: what is said of it is what failed.
  const waitsFor =
    lacking <= 0 || said === 'fail' ? null : requestsMissingText(challenger.requests, stage.minRequests, lacking);
  const verdict = waitsFor !== null ? 'no-data' : said;
  return { ...about, verdict, metrics, waitsFor, winner: winnerOf(stage, verdict) };
}

/**
 * The metrics that a stage can compare, each with its share of the stage's alpha; what decides an A/B test stands
 * first.
 */
export function metricsOfStage({
  policy,
  alpha,
  stage,
  outcome,
}: Pick<StageInput, 'policy' | 'alpha' | 'outcome'> & { stage: Pick<RolloutStage, 'comparison'> }): {
  metric: JudgedMetric;
  alpha: number;
}[] {
  const comparable = (metric: JudgedMetric) => stage.comparison === 'same-minutes' || isCounted(metric);
  const guards = policy.metrics
    .filter(comparable)
    .filter((metric) => outcome === null || metricName(metric) !== metricName(outcome));
  const claimed = outcome === null ? 0 : (alpha / policy.alpha) * (outcome.alpha ?? policy.alpha / (guards.length + 1));
  const shares = alphaShares({ alpha: policy.alpha, metrics: guards }, Math.max(0, alpha - claimed));
  const asked = guards.map((metric, at) => ({ metric, alpha: shares[at] ?? 0 }));
  return outcome === null ? asked : [{ metric: outcome, alpha: claimed }, ...asked];
}

function judge(input: StageInput, champion: Observed, metric: JudgedMetric, alpha: number): MetricJudgement {
  const { policy, stage, outcome, horizon, challenger } = input;
  const decisive = metric === outcome && stage.decides === 'better';
  const once = decisive && horizon?.kind === 'fixed';
  const judged = judgeMetric(metric, champion, challenger, {
    decides: decisive ? 'better' : 'not-worse',
    looks: once ? 'once' : 'anytime',
    alphas: { fail: alpha, pass: policy.alpha },
  });
  if (!once || atHorizon(input)) return judged;
  const reason =
    `${judged.metric} is judged once, when each version has ${horizon.observations} ` +
    `observations. ${observationsOf(input)}`;
  return { ...judged, verdict: 'no-data', interval: null, reason };
}

function observed({ outcome, champion, challenger }: StageInput): [number, number] {
  if (outcome === null || champion === null) return [0, 0];
  const count = (of: Observed) =>
    outcome.metric === 'scoreDistance' ? of.requests : metricSpecOf(outcome).sampleOf(of).count;
  return [count(champion), count(challenger)];
}

function atHorizon(input: StageInput): boolean {
  const { horizon } = input;
  return horizon !== null && observed(input).every((count) => count >= horizon.observations);
}

function observationsOf(input: StageInput): string {
  const [champion, challenger] = observed(input);
  return `The challenger has ${challenger}, the champion ${champion}.`;
}

function winnerOf({ decides }: StageInput['stage'], verdict: Verdict): StageJudgement['winner'] {
  if (decides !== 'better') return null;
  if (verdict === 'pass') return 'challenger';
  return verdict === 'fail' ? 'champion' : null;
}

function quantiles(latency: readonly number[]): LatencyQuantiles | null {
  const at = (probability: number) => latencyQuantileMs(latency, probability);
  const [p50, p95, p99] = [at(0.5), at(0.95), at(0.99)];
  return p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 };
}
