import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { exitCodeOf, exitCodeOfState } from '../exit-code.js';
import { follow } from '../follow.js';
import { describePromotionPlan } from '../format/promotion-plan.js';
import { actorOption } from '../global-options.js';
import { anEnvironment, parseCount } from '../parse/options.js';
import { requireVersionRef } from '../parse/version-ref.js';
import { awaitInputCheck } from '../await-input-check.js';
import { workflowLines } from '../workflow-lines.js';

interface PromoteOptions {
  to: Environment;
  plan?: true;
  wait?: true;
  alsoShadow?: number[];
}

const parseCounts = (text: string, before: number[] | undefined): number[] => [...(before ?? []), parseCount(text)];

/** `promote`: asks for a version to be taken into an environment. */
export function registerPromote(program: Command, context: CliContext): void {
  program
    .command('promote <version>')
    .description('request that a version be promoted into an environment')
    .addOption(anEnvironment('--to <environment>', 'the environment').makeOptionMandatory())
    .option('--plan', 'show what it would require; changes nothing')
    .option('--also-shadow <n...>', 'further versions to shadow beside it, for the strategy shadow', parseCounts)
    .option('--wait', 'show progress and wait until it ends; Ctrl-C does not stop the promotion')
    .addHelpText(
      'after',
      examples(
        'promote flight-delay@2 --to production --plan',
        'promote flight-delay@2 --to production',
        'promote flight-delay@2 --to staging --wait',
        'promote flight-delay@3 --to production --also-shadow 4 5 --plan',
      ),
    )
    .action(async (text: string, { to, wait, plan, alsoShadow }: PromoteOptions, command: Command) => {
      const { output } = context;
      const { model, version } = requireVersionRef(text);
      if (plan) {
        const planned = await context.api().promotionPlan(model, version, to, alsoShadow);
        if (planned.refused !== null) context.exitCode = 3;
        return output.result(planned, () => describePromotionPlan(output, planned));
      }
      await context
        .api()
        .version(model, version)
        .catch((error: unknown) => {
          // A slip of the pen is told here and not in a workflow's failure.
          if (error instanceof PerdureError && exitCodeOf(error) === 6) throw error;
        });
      const requestedBy = context.actor(actorOption(command));
      const [handle, promotion] = await Promise.all([context.temporal(), import('../../client/promotion.js')]);
      const started = await promotion.startPromotion(handle, {
        model,
        version,
        environment: to,
        requestedBy,
        ...(alsoShadow && { alsoShadow }),
      });
      const watch = `perdure promotions show ${started.workflowId}`;
      if (!wait) {
        await awaitInputCheck(promotion.promotionResult(handle, started.workflowId));
        const said = started.attached ? 'A promotion is already open:' : 'Requested';
        return output.result(
          started,
          `${said} ${model}@${version} to go to ${to} (workflow ` + `${started.workflowId}).\nWatch it: ${watch}`,
        );
      }

      output.progress(`Promotion of ${model}@${version} to ${to} (workflow ${started.workflowId})`);
      const result = await follow(context, {
        result: promotion.promotionResult(handle, started.workflowId),
        look: () => workflowLines(handle, started),
        interrupted: `Interrupted: the promotion continues. Watch it with \`${watch}\`.`,
      });
      context.exitCode = exitCodeOfState(result.state);
      output.result({ ...result, workflowId: started.workflowId }, `${result.state}: ${result.reason}`);
    });
}
