import { shortNumber } from '../text/short-number.js';
import type { Verdict } from '../verdict.js';
import { betterOf } from './better-of.js';
import type { Interval } from '../metrics/measured.js';
import type { Scored } from '../metrics/measured.js';
import type { Comparison } from '../metrics/measured.js';
import type { EvaluationPolicy, GateRule } from './evaluation-policy.js';
import { metricKey } from '../metrics/metric.js';

export interface Finding {
  outcome: Verdict;
  value: number | null;
  interval: Interval | null;
  reason: string;
}

interface MeasuredRows {
  scored: Scored;
  comparison: Comparison | null;
  notCompared: string | undefined;
}

/** What one rule finds on some rows. */
export function findBound(
  rule: GateRule,
  policy: EvaluationPolicy,
  { scored, comparison, notCompared }: MeasuredRows,
): Finding {
  const key = metricKey(rule);
  const compares = rule.worseThanChampionByAtMost !== undefined;
  const difference = comparison?.differences[key];
  const value = compares ? difference?.estimate : scored.metrics[key];
  const interval = compares ? difference?.interval : scored.intervals[key];
  const noData = (why: string): Finding => ({
    outcome: 'no-data',
    value: isFiniteNumber(value) ? value : null,
    interval: null,
    reason: why,
  });
  if (!(scored.rows > 0)) return noData('there are no rows.');
  const oneLabel = whyOneLabel(scored);
  if (oneLabel !== null) return noData(oneLabel);
  if (compares && !comparison)
    return noData(`the champion was not measured on these rows${notCompared === undefined ? '' : `: ${notCompared}`}.`);
  if (compares && comparison && comparison.champion[key] === undefined)
    return noData(`the champion has no ${key}: it answers otherwise.`);
  if (!isFiniteNumber(value)) return noData(`${key} is not defined on these rows.`);
  if (!interval || !isFiniteNumber(interval.low) || !isFiniteNumber(interval.high) || interval.low > interval.high) {
    return noData(`${key} is ${shortNumber(value)}, but its confidence interval could not be computed.`);
  }
  const outcome = compareInterval(rule, policy, interval);
  const measured =
    `${compares ? `${key} less the champion's` : key} is ${shortNumber(value)} ` +
    `(${interval.confidencePct} % interval ${shortNumber(interval.low)} to ${shortNumber(interval.high)})`;
  return { outcome, value, interval, reason: `${measured}; required: ${boundText(rule)}. ${outcomeText[outcome]}.` };
}

/** Nothing shows on such rows that a model tells labels apart. Evaluations of before count positives alone. */
function whyOneLabel({ rows, positives, oneLabel }: Scored): string | null {
  if (positives !== undefined)
    return positives > 0 && positives < rows ? null : `the ${rows} rows hold one class only.`;
  return oneLabel ? `the ${rows} rows have the same label.` : null;
}

const outcomeText: Record<Verdict, string> = {
  pass: 'The whole interval is within it',
  fail: 'The whole interval is beyond it',
  inconclusive: 'The interval contains the bound: more rows are needed to decide',
  'no-data': 'There is nothing to decide on',
};

function compareInterval(rule: GateRule, policy: EvaluationPolicy, { low, high }: Interval): Verdict {
  const between = (keeps: boolean, breaks: boolean): Verdict => (keeps ? 'pass' : breaks ? 'fail' : 'inconclusive');
  if (rule.atLeast !== undefined) return between(low >= rule.atLeast, high < rule.atLeast);
  if (rule.atMost !== undefined) return between(high <= rule.atMost, low > rule.atMost);
  const margin = rule.worseThanChampionByAtMost;
  if (margin === undefined) return 'no-data';
  return betterOf(rule.metric, policy) === 'smaller'
    ? between(high <= margin, low > margin)
    : between(low >= -margin, high < -margin);
}

/** Orders findings of one rule: the greater, the worse. */
export function badness(rule: GateRule, policy: EvaluationPolicy, { value }: Pick<Finding, 'value'>): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  const smallIsGood =
    rule.atMost !== undefined ||
    (rule.worseThanChampionByAtMost !== undefined && betterOf(rule.metric, policy) === 'smaller');
  return smallIsGood ? value : -value;
}

export function boundText(rule: GateRule): string {
  if (rule.atLeast !== undefined) return `at least ${rule.atLeast}`;
  if (rule.atMost !== undefined) return `at most ${rule.atMost}`;
  return `worse than the champion by at most ${rule.worseThanChampionByAtMost ?? 0}`;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
