import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { actorOption } from '../global-options.js';
import { requireVersionRef } from '../parse/version-ref.js';

const acts = [
  [
    'archive',
    true,
    'archive a version: hidden from lists and promotions; nothing is deleted',
    'trained on the wrong month',
  ],
  ['unarchive', false, 'bring back an archived version', 'wanted for a comparison'],
] as const;

/**
 * `versions archive|unarchive`. There is no delete: predictions, decisions and lineage name a version for as long as
 * they are kept.
 */
export function registerVersionArchive(versions: Command, context: CliContext): void {
  for (const [word, archived, description, reason] of acts)
    versions
      .command(`${word} <version>`)
      .description(description)
      .requiredOption('--reason <text>', 'why')
      .addHelpText('after', examples(`versions ${word} flight-delay@2 --reason "${reason}"`))
      .action(async (text: string, options: { reason: string }, command: Command) => {
        const { model, version } = requireVersionRef(text);
        const actor = context.actor(actorOption(command));
        const after = await context.api().archiveVersion(model, version, { archived, actor, reason: options.reason });
        context.output.result(after, `${model}@${version} is ${archived ? 'archived' : 'back'}.`);
      });
}
