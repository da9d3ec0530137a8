import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { ApiClient } from '../../client/http/api-client.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { followRun, watchRun } from '../follow-run.js';
import { actorOption } from '../global-options.js';
import { anEnvironment, parsePartition } from '../parse/options.js';
import { collectSet, type DefinitionChanges } from '../parse/set-option.js';
import { requireModelName } from '../parse/version-ref.js';
import { awaitInputCheck } from '../await-input-check.js';

interface TrainOptions {
  wait?: true;
  until?: string;
  set?: DefinitionChanges;
  force?: true;
  env?: Environment;
}

/** `train`: starts a run of the training pipeline. */
export function registerTrain(program: Command, context: CliContext): void {
  program
    .command('train <model>')
    .description('start a training run')
    .option('--wait', 'show progress and wait until it ends; Ctrl-C does not stop the run')
    .option(
      '--until <partition>',
      'the last partition to use, as the holdout; neither reads nor moves the watermark',
      parsePartition,
    )
    .option('--set <path=value>', 'change training or data.window for this run only; repeatable', collectSet)
    .addOption(anEnvironment('--env <environment>', 'whose data to take, production’s by default'))
    .option('--force', 'train even if the same data and definition already made a version')
    .addHelpText(
      'after',
      examples(
        'train flight-delay --wait',
        'train flight-delay --until 2013-04 --wait',
        'train flight-delay --env development --wait',
        'train flight-delay --set training.parameters.num_leaves=15 --set training.seed=7',
      ),
    )
    .action(async (modelText: string, { wait, until, set, force, env }: TrainOptions, command: Command) => {
      const { output } = context;
      const model = requireModelName(modelText);
      await requireKnown(context.api(), model);
      const cause = { kind: 'person' as const, id: requestId(new Date()), actor: context.actor(actorOption(command)) };
      const [handle, training] = await Promise.all([context.temporal(), import('../../client/training.js')]);
      const started = await training.startTraining(handle, {
        model,
        cause,
        ...(until === undefined ? {} : { until }),
        ...(set === undefined ? {} : { set }),
        ...(force && { force }),
        ...(env && { environment: env }),
      });
      if (wait) return followRun(context, handle, model, started);
      await awaitInputCheck(training.trainingResult(handle, started.workflowId, started.runId));
      output.result(
        started,
        `Started run ${started.runId} (workflow ${started.workflowId}).\nWatch it: ${watchRun(started)}`,
      );
    });
}

/**
 * So that a slip of the pen is told here and not in a workflow's failure. Training needs Temporal alone: without the
 * API it is not asked.
 */
async function requireKnown(api: ApiClient, model: string): Promise<void> {
  await api.model(model).catch((error: unknown) => {
    if (error instanceof PerdureError && error.code === 'model/unknown') throw error;
  });
}

/**
 * Names the request in the workflow's id: a time that people can read, and four digits against a second one in the same
 * moment.
 */
export function requestId(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-${randomBytes(2).toString('hex')}`;
}
