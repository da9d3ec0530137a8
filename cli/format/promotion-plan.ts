import type { PromotionPlan } from '../../client/http/promotion-plan.js';
import { requirementText } from '../../domain/promotion/approval-slots.js';
import type { Output } from '../output.js';
import { describeContract } from './contract.js';
import { fields, table } from './table.js';
import { duration } from './time.js';
import { counted, servesText, state } from './words.js';

type Stage = PromotionPlan['stages'][number];

/** A promotion's plan for people. */
export function describePromotionPlan(output: Output, plan: PromotionPlan): string {
  const { approvals } = plan;
  const already = plan.champion === plan.version;
  const parts = [
    fields([
      [
        'promotes',
        `${plan.model}@${plan.version} to ` +
          `${plan.environment}${plan.champion === null || already ? '' : `, in place of version ${plan.champion}`}`,
      ],
      ['walks', plan.environments.join(' → ')],
      ['gates', plan.gates.map(({ name, outcome }) => `${name}: ${state(output, outcome)}`).join(', ') || 'none'],
      ['approvals', approvals.automatic ?? requirementText(approvals.requires)],
      ['expires', approvals.automatic === null ? `after ${approvals.expireAfterHours} h without a decision` : null],
      ['escalates', approvals.escalateAfterHours === null ? null : `after ${approvals.escalateAfterHours} h`],
      ['callers', describeContract(plan.contract)],
      ['cut-over', plan.contract.notBefore === null ? null : `not before ${plan.contract.notBefore}`],
      ['strategy', plan.strategy],
      [
        'traffic now',
        plan.requestsPerSecond === null
          ? 'none in the last 15 minutes'
          : `${plan.requestsPerSecond.toFixed(1)} requests/s`,
      ],
    ]),
    plan.stages.length === 0
      ? 'No stages: nothing would change.'
      : table(
          output,
          [
            'stage',
            'serves',
            'at least',
            'at most',
            'to see the stated harm',
            'to pass when equal',
            'time at this traffic',
          ],
          plan.stages.map((stage) => [
            stage.name,
            servesText(stage),
            stage.comparison === 'none'
              ? 'not judged'
              : `${counted(stage.minRequests, 'request')}, ${duration(stage.minSeconds * 1000)}`,
            stage.comparison === 'none' ? '' : duration(stage.maxSeconds * 1000),
            requestsText(stage, 'requestsToSeeHarm'),
            requestsText(stage, 'requestsToPass'),
            stage.comparison === 'none' ? '' : stage.seconds === null ? 'unknown' : duration(stage.seconds * 1000),
          ]),
        ),
    ...plan.changes,
    ...plan.conflicts.map((conflict) => `Conflict: ${conflict}`),
  ];
  const bases = new Set(plan.stages.flatMap(({ metrics }) => metrics.map(({ basis }) => basis)));
  if (bases.has('assumed'))
    parts.push('Nothing was counted for the champion yet: 1 % errors and 1 % slow answers are assumed.');
  if (bases.has('holdout'))
    parts.push(
      'No labels were counted in a rollout yet: taken from the champion’s holdout, as if each ' +
        'request got its label.',
    );
  if (plan.refused !== null) parts.push(`Refused: ${plan.refused}`);
  else
    parts.push(
      already ? 'Nothing was changed.' : 'Nothing was changed. To request it, run the same command without --plan.',
    );
  return parts.join('\n\n');
}

function requestsText({ metrics, comparison }: Stage, of: 'requestsToSeeHarm' | 'requestsToPass'): string {
  if (comparison === 'none') return '';
  return metrics.map((one) => `${one.metric}: ${one[of] ?? 'unknown'}`).join('\n');
}
