import type { Command } from 'commander';

/** `--as`, wherever on the command line it stood. */
export function actorOption(command: Command): string | undefined {
  const as: unknown = command.optsWithGlobals().as;
  return typeof as === 'string' ? as : undefined;
}
