import type { Command } from 'commander';
import type { RollbackResult } from '../../client/rollout.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { follow } from '../follow.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { actorOption } from '../global-options.js';
import type { Output } from '../output.js';
import { environmentOption, parseCount, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';
import { workflowLines } from '../workflow-lines.js';

/** `rollback`: the previous version is served again, proven by the gateways. */
export function registerRollback(program: Command, context: CliContext): void {
  program
    .command('rollback <model>')
    .description(
      'serve the previous version again; ends when every live gateway acknowledged it and it answered a probe',
    )
    .addOption(environmentOption())
    .option('--to <n>', 'the version to go back to (default: the one served before)', parseCount)
    .requiredOption('--reason <text>', 'why')
    .addHelpText(
      'after',
      examples(
        'rollback flight-delay --reason "complaints from Newark"',
        'rollback flight-delay --to 1 --env staging --reason "test"',
      ),
    )
    .action(
      async (
        modelText: string,
        { env, to, reason }: EnvironmentChoice & { to?: number; reason: string },
        command: Command,
      ) => {
        const model = requireModelName(modelText);
        const [handle, { startRollback, rollbackResult }] = await Promise.all([
          context.temporal(),
          import('../../client/rollout.js'),
        ]);
        const [route] = await context.api().routesOf(model, { environment: env });
        const started = await startRollback(handle, {
          // The epoch being left names the rollback: asking twice for the same one finds the first.
          ...(route ? { epoch: route.epoch } : {}),
          environment: env,
          model,
          actor: context.actor(actorOption(command)),
          reason,
          ...(to === undefined ? {} : { to }),
        });
        context.output.progress(`Rollback of ${model} in ${env} (workflow ${started.workflowId})`);
        const result = await follow(context, {
          result: rollbackResult(handle, started.workflowId, started.runId),
          look: () => workflowLines(handle, started),
          interrupted:
            `Interrupted: the rollback continues. ` + `Watch it with \`perdure routes show ${model} --env ${env}\`.`,
        });
        context.output.result({ ...result, workflowId: started.workflowId }, () =>
          describeRollback(context.output, `${model} in ${env}`, result),
        );
      },
    );
}

/** Which gateways serve it since when, and how the restored version answered at each. */
function describeRollback(
  output: Output,
  where: string,
  { version, epoch, reason, acknowledged, probed, probeRefused }: RollbackResult,
): string {
  const rows = acknowledged.map((one) => {
    const probe = probed.find((answer) => answer.gateway === one.gateway);
    const answered = probe
      ? [`version ${probe.version}`, `${probe.tookMs} ms`, localTime(probe.at)]
      : [null, null, null];
    return [one.gateway, one.epoch, localTime(one.at), ...answered];
  });
  return [
    `${where}: version ${version} is served again (epoch ${epoch}). ${reason}`,
    ...(probeRefused === undefined ? [] : [`It refused its probe; investigate:  ${probeRefused}`]),
    table(output, ['gateway', 'epoch', 'acknowledged at', 'answered by', 'in', 'at'], rows),
  ].join('\n');
}
