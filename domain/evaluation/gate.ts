import { worstVerdict, type Verdict } from '../verdict.js';
import { type Evaluation } from './evaluation.js';
import type { EvaluationPolicy, GateRule } from './evaluation-policy.js';
import type { GateDecision, GateResult } from './gate-result.js';
import { badness, boundText, findBound } from './gate-finding.js';
import { metricKey } from '../metrics/metric.js';
import { plausibleGate, type LeadingFeature } from './plausible-gate.js';
import { shortNumber } from '../text/short-number.js';
import type { TaskName } from '../tasks/task.js';

export const parityGateName = 'ONNX matches the native model';
/** What of a definition its gates are asked by. */
interface Asked {
  task?: TaskName | undefined;
  evaluation: EvaluationPolicy;
}

/**
 * Asks every gate of the policy, and first whether the ONNX model answers as the native one. A gate looks at the
 * metric's confidence interval: it passes when the whole interval keeps the bound, fails when all of it breaks the
 * bound, and is inconclusive between. So a pass means that the holdout shows it, not that it happened to come out so. A
 * metric that is missing, null or not finite, a missing interval, rows of one label, or a slice without a level of
 * `minRows` rows gives `no-data`. Rules that compare with the champion are not asked where there is none, or none that
 * can be compared fairly; nor where it cannot be measured on these rows, unless the policy requires it: then they find
 * no data. A score that only a leak or an easy problem explains adds a gate.
 */
export function decideGates(
  { task, evaluation: policy }: Asked,
  evaluation: Evaluation,
  leading?: LeadingFeature,
): GateDecision {
  const decision: GateDecision = { results: [parityGate(policy, evaluation)], notAsked: [] };
  for (const rule of policy.gates) {
    const reason = rule.worseThanChampionByAtMost === undefined ? null : whyNotAsked(policy, evaluation);
    if (reason !== null) {
      decision.notAsked.push({ name: rule.name, reason });
    } else {
      decision.results.push(
        rule.slice === undefined
          ? overallGate(rule, policy, evaluation)
          : sliceGate(rule, rule.slice, policy, evaluation),
      );
    }
  }
  decision.results.push(...plausibleGate({ task, evaluation: policy }, evaluation.overall, leading));
  return decision;
}

function whyNotAsked({ comparison = 'when-possible' }: EvaluationPolicy, evaluation: Evaluation): string | null {
  const { championSha256, championVersion, notCompared, leftOut } = evaluation;
  if (leftOut) return `Version ${leftOut.version}, the champion, is not compared: ${leftOut.reason}.`;
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
  const gate = { name: parityGateName, metric: 'parityMaxDifference', interval: null, bound };
  if (value === null || !Number.isFinite(value) || value < 0) {
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
    reason: `The largest difference over the holdout is ${shortNumber(value)}; required: ${bound}.`,
  };
}

function overallGate(rule: GateRule, policy: EvaluationPolicy, evaluation: Evaluation): GateResult {
  const { overall, comparison, notCompared } = evaluation;
  const { reason, ...finding } = findBound(rule, policy, { scored: overall, comparison, notCompared });
  return { name: rule.name, metric: metricKey(rule), ...finding, bound: boundText(rule), reason };
}

function sliceGate(
  rule: GateRule,
  feature: string,
  policy: EvaluationPolicy,
  { slices, notCompared }: Evaluation,
): GateResult {
  const all = slices.filter((slice) => slice.feature === feature);
  const asked = all.filter((slice) => slice.scored.rows >= rule.minRows);
  const leftOut = all.filter((slice) => !asked.includes(slice)).map((slice) => `${slice.level} (${slice.scored.rows})`);
  const leftOutText =
    leftOut.length > 0 ? ` Left out, with fewer than ${rule.minRows} rows: ${leftOut.join(', ')}.` : '';
  const findings = asked.map(({ level, scored, comparison }) => ({
    level,
    rows: scored.rows,
    ...findBound(rule, policy, { scored, comparison, notCompared }),
  }));
  const gate = {
    name: rule.name,
    metric: metricKey(rule),
    bound: `${boundText(rule)}, for each ${feature} with at least ${rule.minRows} rows`,
  };
  const outcome = worstVerdict(findings.map((finding) => finding.outcome));
  const worst = findings
    .filter((finding) => finding.outcome === outcome)
    .sort((left, right) => badness(rule, policy, right) - badness(rule, policy, left))[0];
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
