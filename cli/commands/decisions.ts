import type { Command } from 'commander';
import type { ApiClient } from '../../client/http/api-client.js';
import type { PromotionDetail } from '../../client/http/promotions.js';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { findPromotion } from '../find-promotion.js';
import { actorOption } from '../global-options.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';
import { queueText } from './promotions.js';

interface DecisionOptions extends EnvironmentChoice {
  comment: string;
  evidence?: string;
  all?: string;
}

const words = [
  ['approve', 'approve a promotion on the evidence shown', 'slices look right'],
  ['reject', 'reject and end promotions', 'worse for one airport'],
  ['withdraw', 'withdraw promotions that you requested', 'trained on the wrong month'],
] as const;

/**
 * `approve`, `reject` and `withdraw`: a person decides. What ends a promotion may be said of many at once; each
 * approval is read and given alone.
 */
export function registerDecisions(program: Command, context: CliContext): void {
  for (const [decision, description, comment] of words) {
    const many = decision !== 'approve';
    const command = program
      .command(`${decision} ${many ? '[promotion...]' : '<promotion>'}`)
      .description(`${description}; PROMOTION is an id, a workflow id, or MODEL@N`)
      .requiredOption('--comment <text>', 'why')
      .addOption(environmentOption('the environment, where MODEL@N or --all is given'))
      .option('--evidence <sha256>', 'decide only if this is the evidence (default: the evidence shown now)');
    if (many) command.option('--all <model>', 'every promotion of this model that waits for a decision');
    command
      .addHelpText(
        'after',
        examples(
          `${decision} flight-delay@2 --comment "${comment}"`,
          `${decision} promote/flight-delay/2/staging --comment "${comment}" --as ada@example.org`,
          ...(many ? [`${decision} --all flight-delay --comment "${comment}"`] : []),
        ),
      )
      .action(async (named: string | string[], options: DecisionOptions) => {
        const chosen = await choose(context.api(), [named].flat(), options);
        const { output } = context;
        const said: Awaited<ReturnType<typeof decide>>[] = [];
        const failed: PerdureError[] = [];
        for (const promotion of chosen) {
          // One that has ended meanwhile, or does not count, keeps the others from nothing.
          await decide(promotion, options).then(
            (answer) => said.push(answer),
            (error: unknown) => {
              if (!(error instanceof PerdureError) || chosen.length === 1) throw error;
              failed.push(error);
            },
          );
        }
        for (const error of failed) output.error(error);
        if (failed.length > 0) context.exitCode = 4;
        const text = said.map((one) => one.text).join('\n');
        if (chosen.length === 1 && said[0]) return output.result(said[0].value, text);
        output.result({ items: said.map((one) => one.value), next: null }, text || 'Nothing was decided.');
      });

    async function decide(promotion: PromotionDetail, options: DecisionOptions) {
      const name = `${promotion.model}@${promotion.version} to ${promotion.environment}`;
      if (promotion.closedAt !== null) {
        throw new PerdureError(
          'promotion/closed',
          `The promotion of ${name} has already ended: ` +
            `${promotion.state}${promotion.reason ? `, ${promotion.reason}` : ''}. Request another with \`perdure ` +
            `promote\`.`,
        );
      }
      const evidenceSha256 = options.evidence ?? promotion.evidenceSha256 ?? undefined;
      const actor = context.actor(actorOption(command));
      // Over the API and not straight to Temporal: the API signs.
      const answer = await context.api().decidePromotion(promotion.id, {
        decision,
        actor,
        comment: options.comment,
        ...(evidenceSha256 && { evidenceSha256 }),
      });
      if (!answer.counted)
        throw new PerdureError(
          'promotion/not-approved',
          `The decision on ${name} was recorded but does not count: ${answer.reason}.`,
          {
            ...answer,
            promotion: promotion.id,
          },
        );
      const queue =
        decision === 'approve' && answer.queuedBehind !== null
          ? `\nQueued: ${queueText({ ...promotion, ...answer })}.`
          : '';
      return {
        value: { promotion: promotion.id, workflowId: promotion.workflowId, decision, actor, ...answer },
        text:
          `${actor}: ${decision} ${name} — ${answer.reason}.${queue}\nWatch it: perdure promotions show ` +
          `${promotion.id}`,
      };
    }
  }
}

/**
 * The promotions that are named, or all that wait.
 * @throws PerdureError when neither or both are asked for, or nothing waits.
 */
async function choose(
  api: ApiClient,
  named: readonly string[],
  { env, all, evidence }: DecisionOptions,
): Promise<PromotionDetail[]> {
  if ((all === undefined) === (named.length === 0))
    throw new PerdureError(
      'input/invalid',
      'Name promotions (an id, a workflow id, or MODEL@N), or give --all MODEL; not both.',
    );
  if (evidence !== undefined && (all !== undefined || named.length > 1))
    throw new PerdureError('input/invalid', '--evidence belongs to one promotion: name only that one.');
  if (all === undefined) return Promise.all(named.map((text) => findPromotion(api, text, env)));
  const model = requireModelName(all);
  const open = await api.promotions({ model, environment: env, open: true, limit: 200 });
  const waiting = open.items.filter(({ state }) => state === 'waiting-for-approval' || state === 'gathering-evidence');
  if (waiting.length > 0) return Promise.all(waiting.map(({ id }) => api.promotion(id)));
  throw new PerdureError(
    'not-found',
    `No promotion of ${model} to ${env} waits for a decision. \`perdure promotions ls --open\` lists open promotions.`,
  );
}
