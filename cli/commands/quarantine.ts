import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { state } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import { parsePartition } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';

/** `quarantine ls|show|release|discard`: partitions that validation refused. */
export function registerQuarantine(program: Command, context: CliContext): void {
  const quarantine = program.command('quarantine').description('partitions that validation refused');

  addPageOptions(quarantine.command('ls [model]'))
    .description('list what is in quarantine, the newest first')
    .option('--all', 'also released and discarded ones')
    .addHelpText('after', examples('quarantine ls', 'quarantine ls flight-delay --all'))
    .action(async (model: string | undefined, { all, ...options }: { all?: true } & PageOptions) => {
      const { output } = context;
      const page = await context
        .api()
        .quarantine({ model: model && requireModelName(model), all, ...pageQuery(options) });
      showPage(output, page, (entries) => {
        if (entries.length === 0) return 'Nothing is in quarantine.';
        const rows = entries.map((one) => [
          one.model,
          one.partition,
          one.inPlace ? state(output, one.state) : `${one.state}; replaced since`,
          one.rows,
          localTime(one.validatedAt),
          one.decidedBy,
          one.summary,
        ]);
        return table(output, ['model', 'partition', 'state', 'rows', 'validated', 'decided by', 'why'], rows);
      });
    });

  quarantine
    .command('show <model> <partition>')
    .description('print the validation report: failed rules and rows')
    .addHelpText('after', examples('quarantine show flight-delay 2013-04'))
    .action(async (model: string, partition: string) => {
      const entry = await context.api().quarantined(requireModelName(model), parsePartition(partition));
      context.output.result(
        entry,
        () =>
          `${entry.model} ${entry.partition}: ` +
          `${entry.state}${
            entry.inPlace ? '' : ' (of content that was replaced since)'
          }\n${entry.summary}\n\n${JSON.stringify(entry.report, null, 2)}`,
      );
    });

  for (const [word, sentence, done] of [
    [
      'release',
      'release a partition although validation refused it, without its bad rows',
      'released: the next run uses it',
    ],
    [
      'discard',
      'discard this content of a partition: it is never used',
      'discarded: the next run leaves it out, unless a corrected file is put',
    ],
  ] as const) {
    quarantine
      .command(`${word} <model> <partition>`)
      .description(sentence)
      .requiredOption('--comment <text>', 'why')
      .addHelpText('after', examples(`quarantine ${word} flight-delay 2013-04 --comment "checked with the source"`))
      .action(async (model: string, partition: string, { comment }: { comment: string }, command: Command) => {
        const entry = await context.api().decideQuarantine(requireModelName(model), parsePartition(partition), word, {
          actor: context.actor(actorOption(command)),
          comment,
        });
        context.output.result(entry, `${entry.model} ${entry.partition} is ${done}.`);
      });
  }
}
