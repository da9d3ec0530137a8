import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import type { PutData } from '../../client/http/api-client.js';
import type { LandedResult, PutFilesResult } from '../../client/http/data.js';
import { describeLake, landedItems } from '../format/lake-listing.js';
import { actorOption } from '../global-options.js';
import { bytesText, shortDigest } from '../format/words.js';
import { parseCount, parsePartition } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';

interface PutOptions {
  partition?: string;
  append?: true;
  force?: true;
}

/** `data put|ls|rm`: what has landed in the lake. */
export function registerData(program: Command, context: CliContext): void {
  const data = program.command('data').description('data in the lake');

  data
    .command('put <model> <table> <files...>')
    .description(
      'upload Parquet files; together they replace the partition, all at once. The model `shared` stands for ' +
        'the tables that models share',
    )
    .option('--partition <partition>', 'which partition the files are, 2013-04 for example', parsePartition)
    .option('--append', 'keep the partition’s earlier files as well')
    .option('--force', 'upload even if the partition is in the future, before the window or after a gap')
    .addHelpText(
      'after',
      examples(
        'data put flight-delay flights flights-2013-04.parquet --partition 2013-04',
        'data put flight-delay planes planes.parquet',
        'data put shared airports airports.parquet',
      ),
    )
    .action(async (modelText: string, tableName: string, files: string[], options: PutOptions, command: Command) => {
      const model = requireModelName(modelText);
      const actor = context.actor(actorOption(command));
      const place = { model, table: tableName, actor, ...options };
      const [only, ...others] = await Promise.all(files.map(openFile));
      if (only && others.length === 0) {
        context.output.progress(`sending ${only.name} (${bytesText(only.bytes.size)})`);
        const put = await context.api().putData({ ...place, ...only });
        return context.output.result(put, () => describePut({ ...put, files: [put] }));
      }
      const put = await putTogether(context, place, only ? [only, ...others] : []);
      return context.output.result(put, () => describePut(put));
    });

  data
    .command('rm <model> <table>')
    .description(
      'remove a partition, or a whole unpartitioned table; snapshots made from it keep ' + 'their own copies',
    )
    .option('--partition <partition>', 'which one, of a partitioned table', parsePartition)
    .requiredOption('--reason <text>', 'why')
    .addHelpText('after', examples('data rm flight-delay flights --partition 2042-06 --reason "typo: it is 2024-06"'))
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
          `Removed ${removed.length} file(s): ${removed.join(', ')}`,
        );
      },
    );

  data
    .command('ls <model>')
    .description('list the newest partitions, with their validation and what the last run used')
    .option('--limit <count>', 'partitions at most', parseCount, 24)
    .option('--before <partition>', 'partitions before this one', parsePartition)
    .addHelpText(
      'after',
      examples('data ls flight-delay', 'data ls shared', 'data ls flight-delay --before 2013-04 --limit 12'),
    )
    .action(async (modelText: string, page: { limit: number; before?: string }) => {
      const { output } = context;
      const listing = await context.api().data(requireModelName(modelText), page);
      output.result({ items: landedItems(listing), ...listing }, () => describeLake(output, listing));
    });
}

async function openFile(file: string): Promise<{ name: string; bytes: Blob }> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new PerdureError('input/invalid', `There is no file ${file}.`, { file });
  return { name: path.basename(file), bytes: await openAsBlob(file) };
}

type PutPlace = Pick<PutData, 'model' | 'table' | 'partition' | 'append' | 'force'> & { actor: string };

/** Sends the files one by one; what counts changes once all of them are there. */
async function putTogether(
  context: CliContext,
  place: PutPlace,
  files: readonly { name: string; bytes: Blob }[],
): Promise<PutFilesResult> {
  const { model, table, partition, append, force, actor } = place;
  const landed: LandedResult[] = [];
  for (const [index, file] of files.entries()) {
    context.output.progress(`sending ${file.name} (${bytesText(file.bytes.size)}), ${index + 1} of ${files.length}`);
    landed.push(await context.api().landData({ model, table, partition, force, ...file }));
  }
  const distinct = new Map(landed.map(({ sha256, bytes }) => [sha256, { sha256, bytes }]));
  const generation = landed[0]?.generation ?? 0;
  return context
    .api()
    .switchData(model, table, { partition, files: [...distinct.values()], append, force, generation, actor });
}

function describePut({ files, alreadyThere, replaced }: PutFilesResult): string {
  const lines = files.map(({ key, bytes, sha256 }) =>
    alreadyThere
      ? `Already there, byte for byte: ${key}`
      : `Uploaded ${key} (${bytesText(bytes)}, SHA-256 ${shortDigest(sha256)})`,
  );
  if (replaced.length > 0) lines.push(`Replaced ${replaced.length} earlier file(s): ${replaced.join(', ')}`);
  return lines.join('\n');
}
