import { Option, type Command } from 'commander';
import { cadenceSchema, type Cadence } from '../../domain/cadence.js';
import { columnNameSchema } from '../../domain/names.js';
import { PerdureError } from '../../domain/errors.js';
import { taskNames, type TaskName } from '../../domain/tasks/task.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { counted } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { nextCommands } from '../init/readme.js';
import { requireModelName } from '../parse/version-ref.js';

interface InitOptions {
  task?: TaskName;
  trainer?: 'python';
  from?: string;
  label?: string;
  positive?: string;
  key?: string;
  time?: string;
  cadence?: Cadence;
  group?: string;
  table?: string;
}

/** `models init`: a model's folder, from a table or an invented one. */
export function addModelsInit(models: Command, context: CliContext): void {
  models
    .command('init <model>')
    .description('write models/NAME: a definition that trains on a table, with the table as it is put into the lake')
    .addOption(new Option('--task <task>', 'what it predicts (default: what the label says)').choices(taskNames))
    .option('--from <file>', 'a .csv or .parquet file, a row for each thing to predict (default: an invented table)')
    .option('--label <column>', 'what really happened')
    .option('--positive <value>', 'of a label of other values than true and false: which of them is the yes')
    .option('--key <columns>', 'columns that together name a row, with commas between (default: the row’s number)')
    .option('--time <column>', 'when the row’s event happened (default: the table is one of today)')
    .addOption(
      new Option(
        '--cadence <cadence>',
        'how often new data will come (default: month with --time, static without)',
      ).choices(cadenceSchema.options),
    )
    .option('--group <column>', 'of a ranking: the column whose rows are put in order together')
    .option('--table <name>', 'what the table is called in the lake (default: examples)')
    .addOption(new Option('--trainer <language>', 'also write a trainer of your own').choices(['python']))
    .addHelpText(
      'after',
      examples(
        'models init prices --from prices.csv --label price',
        'models init churn --from churn.parquet --label left --key customer,month --time month',
        'models init flats --task regression --trainer python',
      ),
    )
    .action(async (text: string, { trainer, from, key, table, ...options }: InitOptions, command: Command) => {
      const { output } = context;
      const name = requireModelName(text);
      if (table !== undefined && !columnNameSchema.safeParse(table).success)
        throw new PerdureError('input/invalid', `--table ${table}: use letters, digits and underscores.`);
      const { writeModel } = await import('../init/write-model.js');
      const written = await writeModel(context.config().projectRoot, {
        ...options,
        name,
        owner: context.actor(actorOption(command)),
        key: key?.split(',').map((column) => column.trim()) ?? [],
        file: from,
        table,
        program: trainer === 'python',
      });
      output.result({ model: name, ...written }, () =>
        [
          `Wrote ${written.folder}: ${written.task}, ${counted(written.features, 'feature')}, ` +
            `${counted(written.rows, 'row')} in ${counted(written.files.length, 'file')}.`,
          ...(written.leftOut.length > 0 ? ['Left out:', ...written.leftOut.map((line) => `  ${line}`)] : []),
          'Look at model.ts, then:',
          ...nextCommands({ name, ...written }).map((line) => `  ${line}`),
        ].join('\n'),
      );
    });
}
