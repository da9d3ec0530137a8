import type { Command } from 'commander';
import type { CliContext } from './context.js';

/** Adds commands to the program. */
export type CommandGroup = (program: Command, context: CliContext) => void;

/** Each group with the commands that it adds, in the order of the help. */
export const commandGroups: readonly { commands: readonly string[]; load: () => Promise<CommandGroup> }[] = [
  {
    commands: ['up', 'down', 'status', 'doctor'],
    load: () => import('./commands/stack.js').then((group) => group.registerStack),
  },
  { commands: ['gateway'], load: () => import('./commands/gateway.js').then((group) => group.registerGateway) },
  { commands: ['data'], load: () => import('./commands/data.js').then((group) => group.registerData) },
  {
    commands: ['quarantine'],
    load: () => import('./commands/quarantine.js').then((group) => group.registerQuarantine),
  },
  { commands: ['apply'], load: () => import('./commands/apply.js').then((group) => group.registerApply) },
  { commands: ['models'], load: () => import('./commands/models.js').then((group) => group.registerModels) },
  { commands: ['train'], load: () => import('./commands/train.js').then((group) => group.registerTrain) },
  { commands: ['runs'], load: () => import('./commands/runs.js').then((group) => group.registerRuns) },
  { commands: ['schedules'], load: () => import('./commands/schedules.js').then((group) => group.registerSchedules) },
  { commands: ['versions'], load: () => import('./commands/versions.js').then((group) => group.registerVersions) },
  { commands: ['promote'], load: () => import('./commands/promote.js').then((group) => group.registerPromote) },
  {
    commands: ['promotions'],
    load: () => import('./commands/promotions.js').then((group) => group.registerPromotions),
  },
  {
    commands: ['approve', 'reject', 'withdraw'],
    load: () => import('./commands/decisions.js').then((group) => group.registerDecisions),
  },
  { commands: ['rollout'], load: () => import('./commands/rollout.js').then((group) => group.registerRollout) },
  { commands: ['rollback'], load: () => import('./commands/rollback.js').then((group) => group.registerRollback) },
  { commands: ['routes'], load: () => import('./commands/routes.js').then((group) => group.registerRoutes) },
  { commands: ['predict'], load: () => import('./commands/predict.js').then((group) => group.registerPredict) },
  {
    commands: ['predictions'],
    load: () => import('./commands/predictions.js').then((group) => group.registerPredictions),
  },
  { commands: ['labels'], load: () => import('./commands/labels.js').then((group) => group.registerLabels) },
];

/** All of them: what the help of the program shows. */
export const everyGroup = (): Promise<CommandGroup[]> => Promise.all(commandGroups.map((group) => group.load()));

/**
 * The groups that a command line may mean: those whose commands it names, all where its first word is none of them. A
 * command loads what it needs: the code of all takes longer than most commands.
 */
export function groupsOf(argv: readonly string[]): Promise<CommandGroup[]> {
  const names = (word: string | undefined) => commandGroups.filter(({ commands }) => commands.includes(word ?? ''));
  const first = argv.find((word) => !word.startsWith('-'));
  if (names(first).length === 0) return everyGroup();
  return Promise.all([...new Set(argv.flatMap(names))].map((group) => group.load()));
}
