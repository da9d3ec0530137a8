import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { RolloutDetail } from '../../client/http/rollouts.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { fields, table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { metric, servedNowText, state } from '../format/words.js';
import type { SteeringAnswer } from '../../client/rollout.js';
import type { Environment } from '../../domain/names.js';
import type { SteeringCommand } from '../../domain/workflow-inputs.js';
import { isTowardsSafety } from '../../domain/rollout/steering.js';
import { actorOption } from '../global-options.js';
import type { Output } from '../output.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { registerRolloutReplay } from './rollout-replay.js';
import { requireModelName } from '../parse/version-ref.js';

const steering = [
  ['pause', 'hold the traffic split until resumed'],
  ['resume', 'continue after a pause'],
  ['advance', 'go to the next stage without waiting for the judge'],
  ['abort', 'go back to the champion'],
] as const;

/** `rollout status|replay|pause|resume|advance|abort`. */
export function registerRollout(program: Command, context: CliContext): void {
  const rollout = program.command('rollout').description('rollouts of a challenger in an environment');

  rollout
    .command('status <model>')
    .description('show the running or last rollout, and what the judge saw')
    .addOption(environmentOption())
    .addHelpText('after', examples('rollout status flight-delay', 'rollout status flight-delay --env staging --json'))
    .action(async (modelText: string, { env }: EnvironmentChoice) => {
      const model = requireModelName(modelText);
      const api = context.api();
      const newest = (await api.rollouts({ model, environment: env, limit: 1 })).items[0];
      if (!newest)
        throw new PerdureError('not-found', `No rollout of ${model} in ${env} yet. An approved promotion starts one.`, {
          model,
          environment: env,
        });
      const [detail, [route]] = await Promise.all([api.rollout(newest.id), api.routesOf(model, { environment: env })]);
      context.output.result({ ...detail, route: route ?? null }, () =>
        describeRollout(context.output, detail, route ? servedNowText(route, detail.finishedAt) : null),
      );
    });

  registerRolloutReplay(rollout, context);
  for (const [command, description] of steering) {
    rollout
      .command(`${command} <model>`)
      .description(description)
      .addOption(environmentOption())
      .option('--reason <text>', 'why', '')
      .addHelpText('after', examples(`rollout ${command} flight-delay --reason "support is looking at a complaint"`))
      .action(async (modelText: string, { env, reason }: EnvironmentChoice & { reason: string }, own: Command) => {
        const model = requireModelName(modelText);
        const said = { actor: context.actor(actorOption(own)), reason };
        const answer = await (isTowardsSafety(command) ? steerAtOnce : steerSigned)(context, {
          env,
          model,
          command,
          ...said,
        });
        if (!answer.accepted)
          throw new PerdureError(
            'state/conflict',
            `The rollout of ${model} in ${env} did not ${command}: ${answer.reason}.`,
            {
              model,
              environment: env,
            },
          );
        context.output.result({ model, environment: env, command, ...answer }, `${model} in ${env}: ${answer.reason}.`);
      });
  }
}

interface Said {
  env: Environment;
  model: string;
  command: SteeringCommand;
  actor: string;
  reason: string;
}

/** What moves traffic goes over the API, which signs it. */
async function steerSigned(context: CliContext, { env, model, ...said }: Said): Promise<SteeringAnswer> {
  const api = context.api();
  const newest = (await api.rollouts({ model, environment: env, limit: 1 })).items[0];
  if (newest && newest.finishedAt === null) return api.steerRollout(newest.id, said);
  throw new PerdureError(
    'not-found',
    `No rollout of ${model} is running in ${env}. \`perdure rollout status ${model}\` shows the last one.`,
    {
      environment: env,
      model,
    },
  );
}

/** What leads back, or keeps what is, needs Temporal alone: nobody is kept from it by an API that is away. */
async function steerAtOnce(context: CliContext, { env, model, command, ...said }: Said): Promise<SteeringAnswer> {
  const [handle, { steerRollout }] = await Promise.all([context.temporal(), import('../../client/rollout.js')]);
  return steerRollout(handle, env, model, command, said);
}

/** A rollout for people. */
function describeRollout(output: Output, rollout: RolloutDetail, serves: string | null): string {
  const last = rollout.looks.at(-1);
  const parts = [
    fields([
      ['rollout', rollout.id],
      ['workflow', rollout.workflowId],
      [
        'moves',
        `${rollout.model} in ${rollout.environment}: version ${rollout.champion ?? 'none'} → version ` +
          `${rollout.challenger}`,
      ],
      ['state', `${state(output, rollout.state)}${rollout.reason ? `: ${rollout.reason}` : ''}`],
      ['strategy', rollout.strategy],
      ['stage', rollout.finishedAt === null ? stageText(rollout) : null],
      ['served now', serves],
      ['started', localTime(rollout.startedAt)],
      ['finished', localTime(rollout.finishedAt, 'not yet')],
      ['looks', rollout.looks.length],
      ['late labels', lateLabelsText(rollout)],
    ]),
  ];
  const lacksData = rollout.finishedAt === null && (last === undefined || last.verdict === 'no-data');
  if (last) {
    parts.push(
      `Look ${last.look}, ${stageText({ ...rollout, step: last.step })}, at ${localTime(last.at)}: ` +
        `${state(output, last.verdict)}${last.waitsFor ? `, ${last.waitsFor}` : ''}`,
    );
    if (last.metrics.length > 0)
      parts.push(
        table(
          output,
          ['metric', 'verdict', 'champion', 'challenger', 'because'],
          last.metrics.map((one) => [
            one.metric,
            state(output, one.verdict),
            metric(one.champion),
            metric(one.challenger),
            one.reason,
          ]),
        ),
      );
  }
  if (rollout.steering.length > 0)
    parts.push(
      table(
        output,
        ['at', 'who', 'said', 'in stage', 'taken', 'answer', 'reason'],
        rollout.steering.map((one) => [
          localTime(one.at),
          `${one.actor}${one.roles?.length ? ` (${one.roles.join(', ')})` : ''}`,
          one.command,
          one.stage + 1,
          one.accepted ? 'yes' : 'no',
          one.answer,
          one.reason,
        ]),
      ),
    );
  if (last?.leftOut) parts.push(last.leftOut);
  if (lacksData)
    parts.push(
      'No data is never a pass: the judge waits for requests to both versions. Send requests to the gateway ' +
        `(perdure predict ${rollout.model} --file ROWS), see the gateways (perdure status), or continue without ` +
        `the judge: perdure rollout advance ${rollout.model} --reason TEXT`,
    );
  if (last?.latency.challenger) parts.push(latencyTable(output, rollout, last.latency));
  return parts.join('\n\n');
}

function latencyTable(
  output: Output,
  { champion, challenger }: RolloutDetail,
  latency: RolloutDetail['looks'][number]['latency'],
): string {
  const row = (name: string, one: Quantiles) => [
    name,
    ...(one ? [one.p50, one.p95, one.p99].map((ms) => ms.toFixed(1)) : ['–', '–', '–']),
  ];
  return table(
    output,
    ['latency, ms', 'p50', 'p95', 'p99'],
    [row(`version ${champion ?? '–'}`, latency.champion), row(`version ${challenger}`, latency.challenger)],
  );
}

function lateLabelsText({ lastWord, awaitsLabels }: RolloutDetail): string | null {
  if (lastWord) return `${lastWord.verdict}: ${lastWord.reason}`;
  return awaitsLabels === null ? null : `pending (workflow ${awaitsLabels})`;
}

type Quantiles = RolloutDetail['looks'][number]['latency']['champion'];

const stageText = ({ step, stages }: RolloutDetail): string =>
  `${step + 1} of ${Math.max(stages.length, step + 1)}, ${stages[step] ?? ''}`;
