import { z } from 'zod';
import {
  intervalSchema,
  metricNameSchema,
  smallerIsBetter,
  type Comparison,
  type Evaluation,
  type Interval,
  type Scored,
} from './evaluation.js';
import type { EvaluationPolicy, GateRule } from './evaluation-policy.js';
import { verdictSchema, worstVerdict, type Verdict } from '../verdict.js';

const finiteOrNull = z.number().refine(Number.isFinite, 'must be finite').nullable();
const findingShape = { outcome: verdictSchema, value: finiteOrNull, interval: intervalSchema.nullable() };

/**
 * What one gate says. `value` is the candidate's metric, or its difference from the champion where the rule compares;
 * null when there is none.
 */
export const gateResultSchema = z.strictObject({
  name: z.string(),
  metric: z.union([metricNameSchema, z.literal('parityMaxDifference')]),
  /** The level that decided, the worst one, when the gate asks level by level. */
  slice: z.strictObject({ feature: z.string(), level: z.string() }).optional(),
  ...findingShape,
  /** The bound in words. */
  bound: z.string(),
  reason: z.string(),
  /** Every level that was asked, when the gate asks level by level. */
  levels: z.array(z.strictObject({ level: z.string(), rows: z.number().int(), ...findingShape })).optional(),
});
export type GateResult = z.infer<typeof gateResultSchema>;

export const gateDecisionSchema = z.strictObject({
  results: z.array(gateResultSchema),
  /** Rules that could not be asked, and why. */
  notAsked: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
});
export type GateDecision = z.infer<typeof gateDecisionSchema>;

export const parityGateName = 'ONNX matches the native model';
export const plausibleGateName = 'not too good to be true';

/** A ROC AUC from here on is what a model gets that was shown the label. */
export const implausibleRocAuc = 0.999;

/** The feature that a model uses most. */
export interface LeadingFeature {
  feature: string;
  /** Of the whole gain. */
  share: number;
}

/**
 * Asks every gate of the policy, and first whether the ONNX model answers as the native one. A gate looks at the
 * metric's confidence interval: it passes when the whole interval keeps the bound, fails when all of it breaks the
 * bound, and is inconclusive between. So a pass means that the holdout shows it, not that it happened to come out so. A
 * metric that is missing, null or not finite, a missing interval, rows of one class, or a slice without a level of
 * `minRows` rows gives `no-data`. Rules that compare with the champion are not asked where there is none, or none that
 * can be compared fairly; nor where it cannot be measured on these rows, unless the policy requires it: then they find
 * no data. A score that only a leak or an easy problem explains adds a gate.
 */
export function decideGates(policy: EvaluationPolicy, evaluation: Evaluation, leading?: LeadingFeature): GateDecision {
  const decision: GateDecision = { results: [parityGate(policy, evaluation)], notAsked: [] };
  for (const rule of policy.gates) {
    const reason = rule.worseThanChampionByAtMost === undefined ? null : whyNotAsked(policy, evaluation);
    if (reason !== null) {
      decision.notAsked.push({ name: rule.name, reason });
    } else {
      decision.results.push(
        rule.slice === undefined ? overallGate(rule, evaluation) : sliceGate(rule, rule.slice, evaluation),
      );
    }
  }
  decision.results.push(...plausibleGate(policy, evaluation, leading));
  return decision;
}

function whyNotAsked({ comparison = 'when-possible' }: EvaluationPolicy, evaluation: Evaluation): string | null {
  const { championSha256, championVersion, notCompared } = evaluation;
  if (championSha256 === null) return 'There is no champion to compare with on these rows.';
  if (notCompared === undefined || comparison === 'required') return null;
  return `Version ${championVersion}, the champion, cannot be measured on these rows: ${notCompared}.`;
}

/** Only `pass` lets a candidate go on. No results at all are no data. */
export function gatesVerdict(results: readonly Pick<GateResult, 'outcome'>[]): Verdict {
  return worstVerdict(results.map((result) => result.outcome));
}

function parityGate(policy: EvaluationPolicy, { parityMaxDifference: value }: Evaluation): GateResult {
  const bound = `at most ${policy.parityMax} on any row`;
  const gate = { name: parityGateName, metric: 'parityMaxDifference' as const, interval: null, bound };
  if (!isFiniteNumber(value) || value < 0) {
    return {
      ...gate,
      outcome: 'no-data',
      value: null,
      reason: 'The native model and ONNX were not compared on the holdout.',
    };
  }
  const outcome = value <= policy.parityMax ? 'pass' : 'fail';
  return {
    ...gate,
    outcome,
    value,
    reason: `The largest difference over the holdout is ${text(value)}; required: ${bound}.`,
  };
}

function plausibleGate(
  { implausiblyGood }: EvaluationPolicy,
  { overall }: Evaluation,
  leading: LeadingFeature | undefined,
): GateResult[] {
  const value = overall.metrics.rocAuc;
  if (!isFiniteNumber(value) || value < implausibleRocAuc) return [];
  const gate = {
    name: plausibleGateName,
    metric: 'rocAuc' as const,
    value,
    interval: overall.intervals.rocAuc ?? null,
    bound: `below ${implausibleRocAuc}`,
  };
  const seen = `A ROC AUC of ${value.toFixed(5)} suggests that the label leaks into the features`;
  if (implausiblyGood === 'accept')
    return [{ ...gate, outcome: 'pass', reason: `${seen}; evaluation.implausiblyGood accepts it.` }];
  const most =
    leading && leading.share > 0
      ? ` The most important feature is ${leading.feature} (${(100 * leading.share).toFixed(1)} % of the gain).`
      : '';
  const next =
    'Remove the feature that is only known afterwards, or, if the problem really is that easy, set ' +
    'evaluation.implausiblyGood to "accept".';
  return [{ ...gate, outcome: 'fail', reason: `${seen}.${most} ${next}` }];
}

function overallGate(rule: GateRule, evaluation: Evaluation): GateResult {
  const { reason, ...finding } = find(rule, evaluation.overall, evaluation.comparison, evaluation.notCompared);
  return { name: rule.name, metric: rule.metric, ...finding, bound: boundText(rule), reason };
}

function sliceGate(rule: GateRule, feature: string, { slices, notCompared }: Evaluation): GateResult {
  const all = slices.filter((slice) => slice.feature === feature);
  const asked = all.filter((slice) => slice.scored.rows >= rule.minRows);
  const leftOut = all.filter((slice) => !asked.includes(slice)).map((slice) => `${slice.level} (${slice.scored.rows})`);
  const leftOutText =
    leftOut.length > 0 ? ` Left out, with fewer than ${rule.minRows} rows: ${leftOut.join(', ')}.` : '';
  const findings = asked.map(({ level, scored, comparison }) => ({
    level,
    rows: scored.rows,
    ...find(rule, scored, comparison, notCompared),
  }));
  const gate = {
    name: rule.name,
    metric: rule.metric,
    bound: `${boundText(rule)}, for each ${feature} with at least ${rule.minRows} rows`,
  };
  const outcome = worstVerdict(findings.map((finding) => finding.outcome));
  const worst = findings
    .filter((finding) => finding.outcome === outcome)
    .sort((left, right) => badness(rule, right) - badness(rule, left))[0];
  if (!worst) {
    return {
      ...gate,
      outcome: 'no-data',
      value: null,
      interval: null,
      reason: `No level of ${feature} has ${rule.minRows} rows.${leftOutText}`,
      levels: [],
    };
  }
  return {
    ...gate,
    slice: { feature, level: worst.level },
    outcome,
    value: worst.value,
    interval: worst.interval,
    reason: `${feature} ${worst.level} decides, of ${findings.length} levels: ${worst.reason}${leftOutText}`,
    levels: findings.map(({ reason: _, ...finding }) => finding),
  };
}

interface Finding {
  outcome: Verdict;
  value: number | null;
  interval: Interval | null;
  reason: string;
}

function find(rule: GateRule, scored: Scored, comparison: Comparison | null, notCompared?: string): Finding {
  const compares = rule.worseThanChampionByAtMost !== undefined;
  const difference = comparison?.differences[rule.metric];
  const value = compares ? difference?.estimate : scored.metrics[rule.metric];
  const interval = compares ? difference?.interval : scored.intervals[rule.metric];
  const noData = (why: string): Finding => ({
    outcome: 'no-data',
    value: isFiniteNumber(value) ? value : null,
    interval: null,
    reason: why,
  });
  if (!(scored.rows > 0)) return noData('there are no rows.');
  if (!(scored.positives > 0 && scored.positives < scored.rows))
    return noData(`the ${scored.rows} rows hold one class only.`);
  if (compares && !comparison)
    return noData(`the champion was not measured on these rows${notCompared === undefined ? '' : `: ${notCompared}`}.`);
  if (!isFiniteNumber(value)) return noData(`${rule.metric} is not defined on these rows.`);
  if (!interval || !isFiniteNumber(interval.low) || !isFiniteNumber(interval.high) || interval.low > interval.high) {
    return noData(`${rule.metric} is ${text(value)}, but its confidence interval could not be computed.`);
  }
  const outcome = compareInterval(rule, interval);
  const measured =
    `${compares ? `${rule.metric} less the champion's` : rule.metric} is ${text(value)} ` +
    `(${interval.confidencePct} % interval ${text(interval.low)} to ${text(interval.high)})`;
  return { outcome, value, interval, reason: `${measured}; required: ${boundText(rule)}. ${outcomeText[outcome]}.` };
}

const outcomeText: Record<Verdict, string> = {
  pass: 'The whole interval is within it',
  fail: 'The whole interval is beyond it',
  inconclusive: 'The interval contains the bound: more rows are needed to decide',
  'no-data': 'There is nothing to decide on',
};

function compareInterval(rule: GateRule, { low, high }: Interval): Verdict {
  const between = (keeps: boolean, breaks: boolean): Verdict => (keeps ? 'pass' : breaks ? 'fail' : 'inconclusive');
  if (rule.atLeast !== undefined) return between(low >= rule.atLeast, high < rule.atLeast);
  if (rule.atMost !== undefined) return between(high <= rule.atMost, low > rule.atMost);
  const margin = rule.worseThanChampionByAtMost;
  if (margin === undefined) return 'no-data';
  return smallerIsBetter.has(rule.metric)
    ? between(high <= margin, low > margin)
    : between(low >= -margin, high < -margin);
}

/** Orders findings of one rule: the greater, the worse. */
function badness(rule: GateRule, { value }: Finding): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  const smallIsGood =
    rule.atMost !== undefined || (rule.worseThanChampionByAtMost !== undefined && smallerIsBetter.has(rule.metric));
  return smallIsGood ? value : -value;
}

function boundText(rule: GateRule): string {
  if (rule.atLeast !== undefined) return `at least ${rule.atLeast}`;
  if (rule.atMost !== undefined) return `at most ${rule.atMost}`;
  return `worse than the champion by at most ${rule.worseThanChampionByAtMost ?? 0}`;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}
