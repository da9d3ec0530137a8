import { inReportOrder } from '../../domain/metrics/metric-catalogue.js';
import type { Command } from 'commander';
import type { PromotionDetail } from '../../client/http/promotions.js';
import { requirementText } from '../../domain/promotion/approval-slots.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { findPromotion } from '../find-promotion.js';
import { describeFolds, describeMetrics, describeSlices } from '../format/evaluation.js';
import { describeContract } from '../format/contract.js';
import { fields, table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { metric, shortDigest, state } from '../format/words.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import type { Output } from '../output.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';

/** `promotions ls` and `promotions show`. */
export function registerPromotions(program: Command, context: CliContext): void {
  const promotions = program.command('promotions').description('promotions of versions into environments');

  addPageOptions(promotions.command('ls [model]'))
    .description('list promotions, the newest first')
    .option('--open', 'only those that wait or are rolling out')
    .addHelpText('after', examples('promotions ls --open', 'promotions ls flight-delay'))
    .action(async (model: string | undefined, { open, ...options }: { open?: true } & PageOptions) => {
      const { output } = context;
      const page = await context
        .api()
        .promotions({ model: model && requireModelName(model), open, ...pageQuery(options) });
      showPage(output, page, (found) => {
        if (found.length === 0)
          return open
            ? 'No promotion is open.'
            : 'No promotion yet. A run that passes its gates requests one; or: perdure promote ' +
                `${model ?? 'MODEL'}@N --to production`;
        const rows = found.map((one) => [
          one.id,
          `${one.model}@${one.version}`,
          one.environment,
          state(output, one.state),
          one.requestedBy,
          localTime(one.requestedAt),
          localTime(one.expiresAt),
          one.reason,
        ]);
        return table(output, ['promotion', 'version', 'to', 'state', 'asked by', 'asked', 'expires', 'reason'], rows);
      });
    });

  promotions
    .command('show <promotion>')
    .description('show the evidence, the requirements and the decisions; PROMOTION is an id, a workflow id, or MODEL@N')
    .addOption(environmentOption('the environment, where MODEL@N is given'))
    .addHelpText(
      'after',
      examples('promotions show flight-delay@2', 'promotions show promote/flight-delay/2/production --json'),
    )
    .action(async (text: string, { env }: EnvironmentChoice) => {
      const promotion = await findPromotion(context.api(), text, env);
      context.output.result(promotion, () => describePromotion(context.output, promotion));
    });
}

/** What the policy asks for, who has said yes, and who is still needed. */
function requirementFields({ requirement, escalatedAt, state: now }: PromotionDetail): [string, string | null][] {
  if (!requirement) return [['requires', null]];
  if (requirement.approvalsNeeded === 0) return [['requires', 'no approval']];
  const places = requirement.places.map(({ count, roles, filledBy }) => {
    const by = filledBy.length > 0 ? ` (${filledBy.join(', ')})` : '';
    return `${filledBy.length} of ${count} from ${roles.join(' or ')}${by}`;
  });
  const waits = now === 'waiting-for-approval';
  const { escalation } = requirement;
  return [
    ['requires', `${requirement.approvalsCounted} of ${requirement.approvalsNeeded} approvals: ${places.join('; ')}`],
    ...(waits ? [['still needed', stillNeeded(requirement.stillNeeded)] as [string, string]] : []),
    ...(waits
      ? [
          [
            'asked, trained',
            `${requirement.excluded.join(', ')}: may approve only where the access file allows it`,
          ] as [string, string],
        ]
      : []),
    ...(escalation && (waits || escalatedAt)
      ? [
          [
            'escalation',
            `${escalatedAt ? 'since' : 'at'} ${localTime(escalation.at)} ${escalation.to.join(' or ')} may approve too`,
          ] as [string, string],
        ]
      : []),
  ];
}

/**
 * Between the last approval and the effect everything is read again, which takes a while: nobody is to approve a second
 * time meanwhile.
 */
const stillNeeded = (places: Requirement['stillNeeded']): string =>
  places.length > 0
    ? requirementText(places)
    : 'nothing: the approval is being verified again; changed evidence is shown anew';

type Requirement = NonNullable<PromotionDetail['requirement']>;

/** A promotion for the person who has to decide. */
export function describePromotion(output: Output, promotion: PromotionDetail): string {
  const { evidence } = promotion;
  const parts = [
    fields([
      ['promotion', promotion.id],
      ['workflow', promotion.workflowId],
      ['version', `${promotion.model}@${promotion.version} to ${promotion.environment}`],
      ['state', `${state(output, promotion.state)}${promotion.reason ? `: ${promotion.reason}` : ''}`],
      ['asked by', `${promotion.requestedBy}, ${localTime(promotion.requestedAt)}`],
      ['expires', localTime(promotion.expiresAt, 'never')],
      ...requirementFields(promotion),
      ...(promotion.queuedBehind === null ? [] : [['queue', queueText(promotion)] as [string, string]]),
      ['taken back', evidence?.setBack ? `at ${localTime(evidence.setBack.at)}: ${evidence.setBack.reason}` : null],
      ['evidence', promotion.evidenceSha256],
    ]),
  ];
  if (evidence) {
    parts.push(...evidenceTables(output, promotion, evidence));
    if (evidence.contract !== undefined) parts.push(`For callers: ${describeContract(evidence.contract)}`);
    if (evidence.notCompared !== undefined) parts.push(`Not compared with the champion: ${evidence.notCompared}`);
    parts.push(
      table(
        output,
        ['gate', 'verdict'],
        evidence.gates.map((gate) => [gate.name, state(output, gate.outcome)]),
      ),
    );
  }
  if (promotion.decisions.length > 0) {
    const rows = promotion.decisions.map((one) => [
      localTime(one.at),
      one.actor,
      state(output, one.decision),
      countedText(one, promotion),
      one.keyId ?? 'no',
      one.reason,
      one.comment,
    ]);
    parts.push(table(output, ['at', 'who', 'decision', 'counted', 'signed by', 'because', 'comment'], rows));
  }
  if (promotion.state === 'waiting-for-approval' && promotion.requirement?.stillNeeded.length !== 0) {
    const name = `${promotion.model}@${promotion.version}${
      promotion.environment === 'production' ? '' : ` --env ${promotion.environment}`
    }`;
    parts.push(`Decide: perdure approve ${name} --comment TEXT, or perdure reject ${name} --comment TEXT`);
  }
  return parts.join('\n\n');
}

/** What an approval sets going, where something else goes first. */
export const queueText = ({
  model,
  environment,
  queuedBehind,
}: Pick<PromotionDetail, 'model' | 'environment' | 'queuedBehind'>): string =>
  `a rollout of ${model}@${queuedBehind} is under way in ${environment}: once approved, this one waits for ` +
  'its end, then continues automatically';

/** The report that the evidence is bound to; its metrics alone while the object store is away. */
function evidenceTables(output: Output, { evaluation, version }: PromotionDetail, evidence: Evidence): string[] {
  if (evaluation) {
    const slices = describeSlices(output, evaluation);
    const folds = describeFolds(output, evaluation);
    const alone = evidence.champion !== null && !evaluation.comparison;
    return [
      describeMetrics(output, evaluation, version),
      ...(folds === null ? [] : [folds]),
      ...(alone
        ? [
            `Not compared with version ${evidence.champion}, the champion: ` +
              `${evaluation.leftOut?.reason ?? 'it was trained on rows of this holdout'}.`,
          ]
        : []),
      ...(slices === null ? [] : [slices]),
    ];
  }
  const champion = evidence.champion === null ? 'no champion' : `version ${evidence.champion} (champion)`;
  const rows = inReportOrder(Object.keys(evidence.metrics)).map((name) => [
    name,
    metric(evidence.metrics[name]),
    metric(evidence.championMetrics?.[name]),
  ]);
  return [
    table(output, ['metric', `version ${version}`, champion], rows),
    'The object store does not answer: slices and intervals are in its report.',
  ];
}

type Evidence = NonNullable<PromotionDetail['evidence']>;

/** A decision on evidence that is out of date counted when it was taken, and says nothing of what is shown now. */
function countedText(decision: PromotionDetail['decisions'][number], { evidenceSha256 }: PromotionDetail): string {
  if (!decision.counted) return 'no';
  const { evidenceSha256: seen } = decision;
  return seen === null || seen === evidenceSha256 ? 'yes' : `no longer: on evidence ${shortDigest(seen)}`;
}
