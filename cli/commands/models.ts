import type { Command } from 'commander';
import type { Environment } from '../../domain/names.js';
import type { ModelDetail } from '../../client/http/models.js';
import type { CliContext } from '../context.js';
import { anEnvironment } from '../parse/options.js';
import { examples } from '../examples.js';
import { fields, table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { counted, servesText, shortDigest } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import type { Output } from '../output.js';
import { addModelsInit } from './models-init.js';
import { requireModelName } from '../parse/version-ref.js';

/** `models`: what has been applied, and the beginning of a new one. */
export function registerModels(program: Command, context: CliContext): void {
  const models = program.command('models').description('applied models');

  addPageOptions(models.command('ls'))
    .description('list the models, what each serves in production, and its schedules')
    .addHelpText('after', examples('models ls', 'models ls --limit 100', 'models ls --json'))
    .action(async (options: PageOptions) => {
      const { output } = context;
      showPage(output, await context.api().models(pageQuery(options)), (found) => {
        if (found.length === 0) return 'No model yet. Write one: perdure models init NAME, then: perdure apply';
        return table(
          output,
          ['model', 'owner', 'newest version', 'serves', 'data up to', 'schedules', 'applied'],
          found.map((model) => [
            model.name,
            model.owner,
            model.newestVersion,
            servedIn(model).join('; ') || 'nothing',
            model.watermark,
            schedulesText(model.schedules),
            localTime(model.appliedAt),
          ]),
        );
      });
    });

  addModelsInit(models, context);

  models
    .command('show <model>')
    .description(
      'show a model: what it predicts, its owner, what it serves, open promotions, and with --json its definition',
    )
    .addHelpText('after', examples('models show flight-delay', 'models show flight-delay --json'))
    .action(async (text: string) => {
      const { output } = context;
      const name = requireModelName(text);
      const api = context.api();
      const model = await api.model(name);
      const { items: open } = await api.promotions({ model: name, open: true });
      output.result({ ...model, openPromotions: open }, () => describeModel(output, model, open.length));
    });

  models
    .command('retire <model>')
    .description(
      "end a model's service: gateways answer 404 for it; its versions and history stay, and `apply --prune` may " +
        'let it go',
    )
    .requiredOption('--reason <text>', 'why')
    .addOption(anEnvironment('--env <environment>', 'only there'))
    .addHelpText('after', examples('models retire flight-delay --reason "replaced by flight-delay-2"'))
    .action(async (text: string, { reason, env }: { reason: string; env?: Environment }, command: Command) => {
      const model = requireModelName(text);
      const actor = context.actor(actorOption(command));
      const ended = await context.api().retireModel(model, { actor, reason, ...(env && { environment: env }) });
      context.output.result({ items: ended, next: null }, () =>
        ended
          .map(
            (route) =>
              `${model} is out of service in ${route.environment} (epoch ${route.epoch}), by ` +
              `${route.ended?.by ?? actor}.`,
          )
          .join('\n'),
      );
    });
}

function describeModel(output: Output, model: ModelDetail, open: number): string {
  const served = servedIn(model);
  return [
    fields([
      ['model', model.name],
      ['predicts', model.description],
      ['owner', model.owner],
      ['definition', shortDigest(model.definitionSha256)],
      ['applied', `${localTime(model.appliedAt)} by ${model.appliedBy}`],
      ['newest version', model.newestVersion],
      ['data up to', model.watermark],
      ['serves', served[0] ?? 'nothing'],
      ...served.slice(1).map((line) => ['', line] as const),
      [
        'waiting',
        open === 0 ? 'no promotion' : `${counted(open, 'promotion')}: perdure promotions ls ${model.name} --open`,
      ],
    ]),
    model.schedules.length === 0
      ? 'No schedule: runs start on new data, from CI or by hand.'
      : table(
          output,
          ['schedule', 'cron', 'time zone', ''],
          model.schedules.map(({ name, cron, timeZone, paused }) => [name, cron, timeZone, paused ? 'paused' : '']),
        ),
    `Its versions: perdure versions ls ${model.name}`,
  ].join('\n\n');
}

const servedIn = ({ routes }: Pick<ModelDetail, 'routes'>): string[] =>
  routes.map((route) => `${route.environment}: ${servesText(route)}`);

const schedulesText = (schedules: ModelDetail['schedules']): string =>
  schedules.map(({ name, cron, paused }) => `${name} (${cron}${paused ? ', paused' : ''})`).join(', ') || 'none';
