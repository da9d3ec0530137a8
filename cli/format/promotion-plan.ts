import type { PromotionPlan } from '../../client/http/promotion-plan.js';
import { requirementText } from '../../domain/approval-places.js';
import type { Output } from '../output.js';
import { fields, table } from './table.js';
import { duration } from './time.js';
import { splitText, state } from './words.js';

type Stage = PromotionPlan['stages'][number];

/** A promotion's plan for people. */
export function describePromotionPlan(output: Output, plan: PromotionPlan): string {
  const { approvals } = plan;
  const parts = [
    fields([
      [
        'promotes',
        `${plan.model}@${plan.version} to ${plan.environment}${plan.champion === null ? '' : `, in place of version ${plan.champion}`}`,
      ],
      ['walks', plan.environments.join(' → ')],
      ['gates', plan.gates.map(({ name, outcome }) => `${name}: ${state(output, outcome)}`).join(', ') || 'none'],
      ['approvals', approvals.automatic ?? requirementText(approvals.requires)],
      ['expires', approvals.automatic === null ? `after ${approvals.expireAfterHours} h without a decision` : null],
      ['escalates', approvals.escalateAfterHours === null ? null : `after ${approvals.escalateAfterHours} h`],
      ['strategy', plan.strategy],
      ['traffic now', plan.requestsPerSecond === null ? 'none in the last 15 minutes' : `${plan.requestsPerSecond.toFixed(1)} requests/s`],
    ]),
    table(
      output,
      ['stage', 'serves', 'at least', 'at most', 'to see the named harm', 'to pass when equal', 'time at this traffic'],
      plan.stages.map((stage) => [
        stage.name,
        servesText(stage),
        stage.comparison === 'none' ? 'not judged' : `${stage.minRequests} requests, ${duration(stage.minSeconds * 1000)}`,
        stage.comparison === 'none' ? '' : duration(stage.maxSeconds * 1000),
        requestsText(stage, 'requestsToSeeHarm'),
        requestsText(stage, 'requestsToPass'),
        stage.seconds === null ? (stage.comparison === 'none' ? '' : 'unknown') : duration(stage.seconds * 1000),
      ]),
    ),
    ...plan.changes,
    ...plan.conflicts.map((conflict) => `Conflict: ${conflict}`),
  ];
  if (plan.stages.some(({ metrics }) => metrics.some(({ assumed }) => assumed)))
    parts.push('Nothing was counted of the champion yet: 1 % of errors and slow answers is assumed.');
  parts.push(plan.refused === null ? 'Nothing was changed. Ask for it: the same command without --plan.' : `Refused: ${plan.refused}`);
  return parts.join('\n\n');
}

function servesText({ split, shadows, standby }: Stage): string {
  const more = [
    ...shadows.map(({ version, samplePct }) => `version ${version} shadows ${samplePct} %`),
    ...standby.map((version) => `version ${version} stands by`),
  ];
  return [splitText(split), ...more].join('; ');
}

function requestsText({ metrics, comparison }: Stage, of: 'requestsToSeeHarm' | 'requestsToPass'): string {
  if (comparison === 'none') return '';
  return metrics.map((one) => `${one.metric}: ${one[of] ?? 'unknown'}`).join('\n');
}
