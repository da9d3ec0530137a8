import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { rolloutPolicySchema, type RolloutPolicy } from '../../domain/rollout/rollout-policy.js';
import { describeIssues } from '../../domain/schema-issue.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { state } from '../format/words.js';
import { anEnvironment, parseCount } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';

interface ReplayOptions {
  policy?: string;
  env?: Environment;
  limit: number;
}

/** `rollout replay`: past rollouts decided again, by their own policy or another. */
export function registerRolloutReplay(rollout: Command, context: CliContext): void {
  rollout
    .command('replay <model>')
    .description('replay past rollouts from what the judge saw, and show which would end differently')
    .option('--policy <file>', 'a JSON file with another rollout policy (default: each rollout’s own policy)')
    .addOption(anEnvironment('--env <environment>', 'only this environment'))
    .option('--limit <n>', 'how many of the newest rollouts', parseCount, 50)
    .addHelpText(
      'after',
      examples('rollout replay flight-delay', 'rollout replay flight-delay --policy stricter.json --json'),
    )
    .action(async (text: string, { policy: file, env, limit }: ReplayOptions) => {
      const model = requireModelName(text);
      const policy = file === undefined ? undefined : await readPolicy(file);
      const replays = await context.api().replayRollouts(model, { policy, environment: env, limit });
      const { output } = context;
      output.result(replays, () => {
        if (replays.length === 0) return `No rollout of ${model} yet.`;
        const rows = replays.map((one) => [
          localTime(one.startedAt),
          one.environment,
          `${one.champion ?? 'none'} → ${one.challenger}`,
          state(output, one.state),
          one.looks,
          one.differs ? 'differs' : 'same',
          one.turnsAt === null ? '' : `${one.turnsAt.look} (${one.turnsAt.stage})`,
          one.summary,
        ]);
        const differing = replays.filter((one) => one.differs).length;
        const told = `${differing} of ${replays.length} rollouts would end differently.`;
        return `${table(
          output,
          ['started', 'environment', 'moves', 'was', 'looks', 'now', 'at look', 'because'],
          rows,
        )}\n\n${told}`;
      });
    });
}

/**
 * A rollout policy as JSON, alone or as the member `rollout`.
 * @throws PerdureError `input/invalid` that names the file and the field.
 */
async function readPolicy(file: string): Promise<RolloutPolicy> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new PerdureError('input/invalid', `${file} cannot be read as JSON: ${messageOf(error)}.`);
  }
  const policy = value !== null && typeof value === 'object' && 'rollout' in value ? value.rollout : value;
  const parsed = rolloutPolicySchema.safeParse(policy);
  if (!parsed.success)
    throw new PerdureError(
      'input/invalid',
      `${file} is not a rollout policy: ${describeIssues(parsed.error.issues)}. See docs/model-definition.md#rollout.`,
    );
  return parsed.data;
}
