import type { Command } from 'commander';
import { z } from 'zod';
import type { OutcomeLabel } from '../../client/http/gateway-client.js';
import { PerdureError } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';
import { readRows, type Row } from '../read-rows.js';

const batchRows = 500;

const labelRowSchema = z.object({
  prediction_id: z.coerce.string().min(1),
  label: z
    .union([z.boolean(), z.literal([0, 1, '0', '1', 'true', 'false'])], { error: 'must be true, false, 0 or 1' })
    .transform((value) => [true, 1, '1', 'true'].includes(value)),
  observed_at: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time with its zone, for example 2013-04-01T12:00:00Z' }),
});

/** `labels import`: what really happened, for predictions that were made. */
export function registerLabels(program: Command, context: CliContext): void {
  const labels = program.command('labels').description('what really happened');

  labels
    .command('import <model> <file>')
    .description('send labels from a JSON, CSV or Parquet file with the columns prediction_id, label and observed_at')
    .addOption(environmentOption('the environment that predicted'))
    .addHelpText('after', examples('labels import flight-delay labels.csv'))
    .action(async (modelText: string, file: string, { env }: EnvironmentChoice) => {
      const model = requireModelName(modelText);
      const gateway = context.gateway(env);
      let sent = 0;
      for await (const rows of readRows(file, batchRows)) {
        if (context.signal.aborted) break;
        const first = sent;
        await gateway.sendLabels(
          model,
          rows.map((row, index) => toLabel(row, file, first + index)),
        );
        sent += rows.length;
        if (sent % (20 * batchRows) === 0) context.output.progress(`${sent} labels`);
      }
      context.signal.throwIfAborted();
      context.output.result(
        { model, environment: env, labels: sent },
        sent === 0 ? `${file} holds no rows.` : `${sent} labels of ${model} were accepted. Sending them again changes nothing.`,
      );
    });
}

function toLabel(row: Row, file: string, index: number): OutcomeLabel {
  const parsed = labelRowSchema.safeParse(row);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new PerdureError(
    'input/invalid',
    `${file}, row ${index + 1}: ${problems}. Rows before it were sent; sending them again changes nothing.`,
    { row: index + 1 },
  );
}
