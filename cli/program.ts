import { Command } from 'commander';
import { registerApply } from './commands/apply.js';
import { registerData } from './commands/data.js';
import { registerDecisions } from './commands/decisions.js';
import { registerLabels } from './commands/labels.js';
import { registerModels } from './commands/models.js';
import { registerPredict } from './commands/predict.js';
import { registerPredictions } from './commands/predictions.js';
import { registerPromote } from './commands/promote.js';
import { registerPromotions } from './commands/promotions.js';
import { registerQuarantine } from './commands/quarantine.js';
import { registerRollback } from './commands/rollback.js';
import { registerRollout } from './commands/rollout.js';
import { registerRoutes } from './commands/routes.js';
import { registerRuns } from './commands/runs.js';
import { registerSchedules } from './commands/schedules.js';
import { registerStack } from './commands/stack.js';
import { registerTrain } from './commands/train.js';
import { registerVersions } from './commands/versions.js';
import type { CliContext } from './context.js';

const groups = [
  registerStack,
  registerData,
  registerQuarantine,
  registerApply,
  registerModels,
  registerTrain,
  registerRuns,
  registerSchedules,
  registerVersions,
  registerPromote,
  registerPromotions,
  registerDecisions,
  registerRollout,
  registerRollback,
  registerRoutes,
  registerPredict,
  registerPredictions,
  registerLabels,
];

/** The whole command line. Building it starts nothing. */
export function buildProgram(context: CliContext): Command {
  const program = new Command('perdure')
    .description('Keeps machine-learning models right in production.')
    .option('--json', 'print the result as one JSON document on standard output')
    .option('--as <name>', 'who acts (default: $PERDURE_ACTOR, else USER@local)')
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .showHelpAfterError('(add --help for the arguments and examples)')
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
