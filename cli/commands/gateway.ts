import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { actorOption } from '../global-options.js';
import { parseEnvironment } from '../parse/options.js';
import { wakeGateway } from '../wake-gateway.js';

/** `gateway start|stop`: of environments whose gateway starts when something first asks for it. */
export function registerGateway(program: Command, context: CliContext): void {
  const { output, signal } = context;
  const gateway = program
    .command('gateway')
    .description('start or stop the gateway of an environment whose gateway starts on demand');

  gateway
    .command('start <environment>')
    .description('start it and wait until it is alive; it then starts with the stack until it is stopped')
    .addHelpText('after', examples('gateway start development'))
    .action(async (text: string, _options: object, command: Command) => {
      const environment = parseEnvironment(text);
      const actor = context.actor(actorOption(command));
      await wakeGateway(environment, { api: context.api(), actor, say: output.progress, signal });
      output.result({ environment, live: true }, `The gateway of ${environment} is alive.`);
    });

  gateway
    .command('stop <environment>')
    .description('stop it; the next predict or rollout there starts it again')
    .addHelpText('after', examples('gateway stop development'))
    .action(async (text: string, _options: object, command: Command) => {
      const environment = parseEnvironment(text);
      await context.api().stopGateway({ environment, actor: context.actor(actorOption(command)) });
      output.result({ environment, wanted: false }, `The gateway of ${environment} stops. Its routes stay.`);
    });
}
