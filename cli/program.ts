import { Command } from 'commander';
import type { CommandGroup } from './command-groups.js';
import type { CliContext } from './context.js';

/** The command line with these groups of commands. Building it starts nothing. */
export function buildProgram(context: CliContext, groups: readonly CommandGroup[]): Command {
  const program = new Command('perdure')
    .description('Keeps machine-learning models right in production.')
    .option('--json', 'print the result as one JSON document on standard output')
    .option('--as <name>', 'the actor (default: $PERDURE_ACTOR, else USER@local)')
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .showHelpAfterError('(add --help for arguments and examples)')
    .exitOverride()
    .configureOutput({ writeOut: context.output.write, writeErr: context.output.progressText })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 unexpected, 2 usage, 3 a gate did not pass, 4 rejected or expired, 5 rolled ' +
        'back, 6 not found,\n7 a server is unreachable, 130 interrupted.',
    );
  for (const register of groups) register(program, context);
  return program;
}
