import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import type { Route } from '../../domain/serving/route.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { servesText } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { parseTime } from '../parse/time.js';
import { requireModelName } from '../parse/version-ref.js';

/** Of what happened to the model's versions at gateways, the newest. */
const eventsShownMax = 5;
const words = (kind: string) => kind.replaceAll('-', ' ');

/** Who advanced, aborted or rolled back, with the roles of that moment. */
const actorText = ({ writtenBy }: Route): string | null =>
  writtenBy?.actor ? `${writtenBy.actor}${writtenBy.roles?.length ? ` (${writtenBy.roles.join(', ')})` : ''}` : null;

const rowOf = (route: Route) => [
  ...[route.environment, route.model, route.epoch, servesText(route), localTime(route.at), route.reason],
];

type ShowOptions = EnvironmentChoice & PageOptions & { at?: string; history?: true };

/**
 * `routes ls`, `routes show` and `routes let-go`: what is served, now and at any time before, and what shall be no
 * more.
 */
export function registerRoutes(program: Command, context: CliContext): void {
  const routes = program.command('routes').description('what environments serve');
  registerList(routes, context);
  registerShow(routes, context);
  registerLetGo(routes, context);
}

const head = ['environment', 'model', 'epoch', 'serves', 'since', 'because'];

function registerList(routes: Command, context: CliContext): void {
  addPageOptions(routes.command('ls'))
    .description('list the routes in force')
    .addHelpText('after', examples('routes ls', 'routes ls --limit 100', 'routes ls --json'))
    .action(async (options: PageOptions) => {
      const { output } = context;
      showPage(output, await context.api().routes(pageQuery(options)), (found) => {
        if (found.length === 0)
          return 'Nothing is served yet. The first version that passes its gates is served: perdure train MODEL --wait';
        return table(output, head, found.map(rowOf));
      });
    });
}

function registerShow(routes: Command, context: CliContext): void {
  addPageOptions(routes.command('show <model>'))
    .description('show the route in force, or with --at the one at that time')
    .addOption(environmentOption())
    .option('--at <time>', 'a time in the past: ISO 8601, local without a zone, or 10m ago')
    .option('--history', 'every route that was ever in force, the newest first')
    .addHelpText(
      'after',
      examples(
        'routes show flight-delay',
        'routes show flight-delay --at "2h ago"',
        'routes show flight-delay --at 2026-03-01T12:00:00Z',
        'routes show flight-delay --history',
      ),
    )
    .action(async (modelText: string, { env, at: atText, history, ...options }: ShowOptions) => {
      const { output } = context;
      const model = requireModelName(modelText);
      if (history && atText !== undefined) throw new PerdureError('input/invalid', 'Give --at or --history, not both.');
      const at = atText === undefined ? undefined : parseTime(atText, new Date());
      const api = context.api();
      if (history) {
        const page = await api.routeHistory(model, { environment: env, ...pageQuery(options) });
        return showPage(output, page, (found) =>
          found.length > 0
            ? table(
                output,
                [...head, 'by'],
                found.map((route) => [...rowOf(route), actorText(route)]),
              )
            : `${model} was never served in ${env}.`,
        );
      }
      const [route] = await api.routesOf(model, { environment: env, at: at?.toISOString() });
      if (!route) {
        const when = at ? `at ${localTime(at.toISOString())}` : 'now';
        throw new PerdureError(
          'not-found',
          `${model} is not served in ${env} ${when}. \`perdure routes show ${model} --history\` shows every route.`,
          { model, environment: env },
        );
      }
      const { items: events } =
        at === undefined ? await api.gatewayEvents({ model, environment: env, limit: eventsShownMax }) : { items: [] };
      output.result({ ...route, events }, () =>
        [
          table(output, head, [rowOf(route)]),
          ...events.map(
            (event) =>
              `${localTime(event.at)}  version ${event.version ?? '–'} ${words(event.kind)} at ` +
              `${event.gatewayId}: ${event.message}`,
          ),
        ].join('\n'),
      );
    });
}

function registerLetGo(routes: Command, context: CliContext): void {
  routes
    .command('let-go <model>')
    .description(
      'stop serving a model that gateways still serve although the database has no route for it (see `doctor`)',
    )
    .addOption(environmentOption())
    .requiredOption('--reason <text>', 'why')
    .addHelpText(
      'after',
      examples('routes let-go flight-delay --env staging --reason "lost when the database was recreated"'),
    )
    .action(async (modelText: string, { env, reason }: EnvironmentChoice & { reason: string }, command: Command) => {
      const model = requireModelName(modelText);
      const actor = context.actor(actorOption(command));
      const done = await context.api().letGo(model, { environment: env, actor, reason });
      context.output.result(
        done,
        `Gateways of ${env} stop serving ${model} if they still do: \`perdure routes show ${model}\` and doctor ` +
          `say so.`,
      );
    });
}
