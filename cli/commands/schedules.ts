import type { Command } from 'commander';
import type { ScheduleView } from '../../client/http/schedules.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { duration, localTime } from '../format/time.js';
import { state } from '../format/words.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import { requireModelName } from '../parse/version-ref.js';

/** `schedules ls`: what fires when, and which firings did not go as they should. */
export function registerSchedules(program: Command, context: CliContext): void {
  const schedules = program.command('schedules').description('schedules of training runs');

  addPageOptions(schedules.command('ls <model>'))
    .description('list a model’s schedules: next and last firing; overlapped, missed and late firings')
    .addHelpText('after', examples('schedules ls flight-delay', 'schedules ls flight-delay --json'))
    .action(async (model: string, options: PageOptions) => {
      const { output } = context;
      const page = await context.api().schedules(requireModelName(model), pageQuery(options));
      showPage(output, page, (found) => {
        if (found.length === 0) return `${model} has no schedule. Add one to triggers.schedules, then: perdure apply`;
        const head = ['schedule', 'cron', 'state', 'next', 'last', 'fired', 'overlapped', 'missed', 'late'];
        const rows = found.map((one) => [
          one.name,
          `${one.cron} ${one.timeZone}`,
          state(output, one.state),
          localTime(one.nextFirings[0] ?? null),
          lastText(one),
          ...[one.fired, one.overlapped.count, one.missed.count, one.late.count],
        ]);
        return [table(output, head, rows), ...found.flatMap(troubles)].join('\n');
      });
    });
}

function lastText({ last }: ScheduleView): string | null {
  if (last === null) return null;
  const late = last.lateSeconds < 1 ? '' : `, begun ${duration(last.lateSeconds * 1000)} after`;
  return (
    `${localTime(last.scheduledFor)}${late}: ` +
    `${last.outcome ?? (last.runId ? 'running' : 'no worker has started it')}`
  );
}

function troubles(one: ScheduleView): string[] {
  if (one.state === 'absent')
    return [`${one.name}: its Schedule is missing in Temporal. \`perdure apply\` creates it again.`];
  return (['overlapped', 'missed', 'late'] as const).flatMap((kind) =>
    one[kind].reason === null ? [] : [`${one.name}, ${kind}: ${one[kind].reason}.`],
  );
}
