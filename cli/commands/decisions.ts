import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { findPromotion } from '../find-promotion.js';
import { actorOption } from '../global-options.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';

interface DecisionOptions extends EnvironmentChoice {
  comment: string;
  evidence?: string;
}

const words = [
  ['approve', 'approve a promotion on the evidence shown', 'slices look right'],
  ['reject', 'reject a promotion: it ends', 'worse for one airport'],
  ['withdraw', 'take back a promotion that you asked for', 'trained on the wrong month'],
] as const;

/** `approve`, `reject` and `withdraw`: a person decides. */
export function registerDecisions(program: Command, context: CliContext): void {
  for (const [decision, description, comment] of words) {
    program
      .command(`${decision} <promotion>`)
      .description(`${description}; PROMOTION is an id, a workflow id, or MODEL@N`)
      .requiredOption('--comment <text>', 'why')
      .addOption(environmentOption('the environment, where MODEL@N is given'))
      .option('--evidence <sha256>', 'decide only if this is the evidence (default: the evidence shown now)')
      .addHelpText(
        'after',
        examples(
          `${decision} flight-delay@2 --comment "${comment}"`,
          `${decision} promote/flight-delay/2/staging --comment "${comment}" --as ada@example.org`,
        ),
      )
      .action(async (text: string, options: DecisionOptions, command: Command) => {
        const promotion = await findPromotion(context.api(), text, options.env);
        const name = `${promotion.model}@${promotion.version} to ${promotion.environment}`;
        if (promotion.closedAt !== null) {
          throw new PerdureError(
            'promotion/closed',
            `The promotion of ${name} has ended already: ${promotion.state}${promotion.reason ? `, ${promotion.reason}` : ''}. Ask again with \`perdure promote\`.`,
          );
        }
        const evidenceSha256 = options.evidence ?? promotion.evidenceSha256 ?? undefined;
        const actor = context.actor(actorOption(command));
        // Over the API and not straight to Temporal: the API signs.
        const answer = await context
          .api()
          .decidePromotion(promotion.id, { decision, actor, comment: options.comment, ...(evidenceSha256 && { evidenceSha256 }) });
        if (!answer.counted)
          throw new PerdureError('promotion/not-approved', `The decision on ${name} was recorded but does not count: ${answer.reason}.`, {
            ...answer,
            promotion: promotion.id,
          });
        context.output.result(
          { promotion: promotion.id, workflowId: promotion.workflowId, decision, actor, ...answer },
          `${actor}: ${decision} ${name} — ${answer.reason}.\nWatch it: perdure promotions show ${promotion.id}`,
        );
      });
  }
}
