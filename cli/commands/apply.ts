import type { Command } from 'commander';
import type { ApplyResult, ScheduleChange } from '../../client/http/apply.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { describeContract } from '../format/contract.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { shortDigest } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { loadDefinitions } from '../definitions/load-definitions.js';
import { pinPrograms } from '../definitions/trainer-folder.js';
import type { Output } from '../output.js';

/** `apply`: the models of the checkout become the ones in force. */
export function registerApply(program: Command, context: CliContext): void {
  program
    .command('apply')
    .description('apply the definitions in models/*/model.ts and their schedules; shows the plan first')
    .option('--plan', 'only show what would change')
    .option('--prune', 'retire models that are no longer in the folder and remove their schedules')
    .addHelpText('after', examples('apply --plan', 'apply', 'apply --prune --plan'))
    .action(async ({ plan, prune }: { plan?: true; prune?: true }, command: Command) => {
      const { output } = context;
      const { projectRoot } = context.config();
      const { definitions, programs } = pinPrograms(projectRoot, await loadDefinitions(projectRoot));
      const order = {
        definitions,
        prune: prune ?? false,
        actor: context.actor(actorOption(command)),
      };
      const api = context.api();
      const planned = await api.apply({ ...order, plan: true });
      if (plan) return output.result(planned, () => describePlan(output, planned));
      if (!output.json) output.progress(describePlan(output, planned));
      context.signal.throwIfAborted();
      for (const { sha256, archive } of programs) await api.keepProgram(sha256, archive);
      const applied = await api.apply({ ...order, plan: false });
      output.result(applied, () => (isChange(applied) ? 'Applied.' : 'Nothing to change.'));
    });
}

function isChange({ definitions, schedules }: ApplyResult): boolean {
  return (
    definitions.some((one) => !['unchanged', 'kept'].includes(one.change)) ||
    schedules.created.length + schedules.changed.length + schedules.removed.length > 0
  );
}

/** What an apply does, for people. */
export function describePlan(output: Output, { definitions, schedules, warnings }: ApplyResult): string {
  if (definitions.length === 0) return 'No models: create models/NAME/model.ts.';
  const rows = definitions.map((one) => [
    one.model,
    one.change,
    `${shortDigest(one.fromSha256)} → ${shortDigest(one.toSha256)}`,
    few(one.changedPaths),
  ]);
  const kinds = [
    ['create', schedules.created],
    ['change', schedules.changed],
    ['remove', schedules.removed],
    ['unchanged', schedules.unchanged],
  ] as const;
  const scheduleRows = kinds.flatMap(([kind, changes]) => changes.map((change) => scheduleRow(kind, change)));
  const parts = [table(output, ['model', 'change', 'digest', 'paths'], rows)];
  for (const { model, contracts = [] } of definitions)
    parts.push(...contracts.map((one) => `${model} in ${one.environment}: ${describeContract(one)}`));
  if (scheduleRows.length > 0)
    parts.push(table(output, ['schedule', 'change', 'cron', 'time zone', 'next firing'], scheduleRows));
  if (warnings.length > 0)
    parts.push(['Worth a look:', ...warnings.map((one) => `  ${one.model}: ${one.path} ${one.message}.`)].join('\n'));
  const undercut = definitions.flatMap(({ model, belowFloor = [] }) =>
    belowFloor.map(({ environment, problem }) => [model, environment, problem]),
  );
  if (undercut.length > 0)
    parts.push(
      'Below the environment’s floor: no version of these models is promoted ' +
        `there.\n${table(output, ['model', 'environment', 'problem'], undercut)}`,
    );
  return parts.join('\n\n');
}

const scheduleRow = (kind: string, change: ScheduleChange) => [
  change.id,
  kind,
  change.cron,
  change.timeZone,
  change.paused ? 'paused' : localTime(change.nextFiring),
];

const few = (paths: readonly string[]): string | null =>
  paths.length === 0
    ? null
    : paths.length <= 6
      ? paths.join('\n')
      : [...paths.slice(0, 6), `and ${paths.length - 6} more`].join('\n');
