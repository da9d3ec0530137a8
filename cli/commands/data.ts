import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { actorOption } from '../global-options.js';
import { bytesText, shortDigest, state } from '../format/words.js';
import { parsePartition } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';

const strayFilesShown = 20;

interface PutOptions {
  partition?: string;
  append?: true;
  force?: true;
}

/** `data put|ls|rm`: what has landed in the lake. */
export function registerData(program: Command, context: CliContext): void {
  const data = program.command('data').description('what has landed in the lake');

  data
    .command('put <model> <table> <file>')
    .description('land a Parquet file; it takes the place of earlier files of the same partition')
    .option('--partition <YYYY-MM>', 'the month that the file holds, for a partitioned table', parsePartition)
    .option('--append', 'keep earlier files of the partition beside it')
    .option('--force', 'land it although the month is in the future, before the window or after a gap')
    .addHelpText(
      'after',
      examples(
        'data put flight-delay flights flights-2013-04.parquet --partition 2013-04',
        'data put flight-delay planes planes.parquet',
      ),
    )
    .action(async (modelText: string, tableName: string, file: string, options: PutOptions, command: Command) => {
      const model = requireModelName(modelText);
      const found = await stat(file).catch(() => undefined);
      if (!found?.isFile()) throw new PerdureError('input/invalid', `There is no file ${file}.`, { file });
      context.output.progress(`sending ${file} (${bytesText(found.size)})`);
      const bytes = await openAsBlob(file);
      const actor = context.actor(actorOption(command));
      const put = await context
        .api()
        .putData({ model, table: tableName, ...options, name: path.basename(file), actor, bytes });
      context.output.result(put, () => {
        const first = put.alreadyThere
          ? `These bytes were there already: ${put.key}`
          : `Landed ${put.key} (${bytesText(put.bytes)}, SHA-256 ${shortDigest(put.sha256)})`;
        return put.replaced.length > 0
          ? `${first}\nReplaced ${put.replaced.length} earlier file(s): ${put.replaced.join(', ')}`
          : first;
      });
    });

  data
    .command('rm <model> <table>')
    .description(
      'take a partition away, or a whole table that has none; snapshots that were made of it keep ' +
        'their own copies',
    )
    .option('--partition <YYYY-MM>', 'the month, for a partitioned table', parsePartition)
    .requiredOption('--reason <text>', 'why')
    .addHelpText(
      'after',
      examples('data rm flight-delay flights --partition 2042-06 --reason "a slip of the pen: it is 2024-06"'),
    )
    .action(
      async (
        modelText: string,
        tableName: string,
        options: { partition?: string; reason: string },
        command: Command,
      ) => {
        const model = requireModelName(modelText);
        const actor = context.actor(actorOption(command));
        const { removed } = await context.api().removeData({ model, table: tableName, ...options, actor });
        context.output.result(
          { model, table: tableName, removed },
          `Removed ${removed.length} file(s): ` + `${removed.join(', ')}`,
        );
      },
    );

  data
    .command('ls <model>')
    .description('list the files that landed, and what validation said of them')
    .addHelpText('after', examples('data ls flight-delay'))
    .action(async (modelText: string) => {
      const { output } = context;
      const listing = await context.api().data(requireModelName(modelText));
      output.result(listing, () => {
        const rows = listing.tables.flatMap((one) =>
          one.partitioned
            ? one.partitions.map(({ partition, files, bytes, newestAt }) => [
                one.table,
                partition,
                files,
                bytesText(bytes),
                localTime(newestAt),
              ])
            : one.files > 0
              ? [[one.table, 'whole table', one.files, bytesText(one.bytes), null]]
              : [],
        );
        const { files, first } = listing.notRead;
        const more = files > strayFilesShown ? [['…', `${files - strayFilesShown} more`]] : [];
        const strays = first.slice(0, strayFilesShown).map(({ key, problem }) => [key, problem]);
        const notRead = files > 0 ? `\n\n${table(output, ['not read', 'because'], [...strays, ...more])}` : '';
        if (rows.length === 0)
          return (
            `Nothing has landed for ${listing.model} yet. Land a file: perdure data put ` +
            `${listing.model} ${listing.tables[0]?.table ?? 'TABLE'} FILE --partition YYYY-MM${notRead}`
          );
        const validated = listing.validations.map((one) => [
          one.partition,
          state(output, one.state),
          one.rows,
          one.summary,
        ]);
        const landed = table(output, ['table', 'partition', 'files', 'size', 'landed'], rows);
        const said =
          validated.length > 0
            ? table(output, ['partition', 'validation', 'rows', 'says'], validated)
            : `No run has validated any of it yet: perdure train ${listing.model}`;
        return `${landed}\n\n${said}${notRead}`;
      });
    });
}
