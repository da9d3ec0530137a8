import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';
import { labelKindOf, labelOfRow } from '../rows/label-rows.js';
import { readRows } from '../rows/read-rows.js';

const batchRows = 500;

/** `labels import` and `labels show`: what really happened, for predictions that were made. */
export function registerLabels(program: Command, context: CliContext): void {
  const labels = program.command('labels').description('what really happened');
  registerImport(labels, context);
  registerShow(labels, context);
}

function registerImport(labels: Command, context: CliContext): void {
  labels
    .command('import <model> <file>')
    .description('send labels from a JSON, CSV or Parquet file with the columns prediction_id, label and observed_at')
    .addOption(environmentOption('the environment that predicted'))
    .addHelpText('after', examples('labels import flight-delay labels.csv'))
    .action(async (modelText: string, file: string, { env }: EnvironmentChoice) => {
      const model = requireModelName(modelText);
      const gateway = await context.gateway(env);
      const kind = labelKindOf(await gateway.model(model));
      let sent = 0;
      const unmatched: string[] = [];
      let strangers = 0;
      const late = { labels: 0, ids: [] as string[], after: '' };
      for await (const rows of readRows(file, batchRows)) {
        if (context.signal.aborted) break;
        const first = sent;
        const taken = await gateway.sendLabels(
          model,
          rows.map((row, index) => labelOfRow(row, file, first + index, kind)),
        );
        sent += rows.length;
        unmatched.push(...taken.unmatched_ids.slice(0, Math.max(0, 10 - unmatched.length)));
        strangers += taken.unmatched;
        late.labels += taken.late;
        late.ids.push(...taken.late_ids.slice(0, Math.max(0, 10 - late.ids.length)));
        late.after = taken.late_after ?? late.after;
        if (sent % (20 * batchRows) === 0) context.output.progress(`${sent} labels`);
      }
      context.signal.throwIfAborted();
      const accepted = sent - strangers - late.labels;
      context.output.result(
        {
          ...{ model, environment: env, labels: accepted },
          ...{ unmatched: strangers, unmatchedIds: unmatched, late: late.labels, lateIds: late.ids },
        },
        sent === 0
          ? `${file} holds no rows.`
          : [
              `${accepted} labels of ${model} were accepted. Sending them again is safe.`,
              ...(strangers > 0
                ? [`${strangers} match no possible prediction and were skipped: ${unmatched.join(', ')}`]
                : []),
              ...(late.labels > 0
                ? [`${late.labels} came more than ${late.after} and were skipped: ${late.ids.join(', ')}`]
                : []),
              `See how many matched a prediction: perdure labels show ${model} --env ${env}`,
            ].join('\n'),
      );
    });
}

function registerShow(labels: Command, context: CliContext): void {
  labels
    .command('show <model>')
    .description('count labels that match a prediction, may still match one, or match none')
    .addOption(environmentOption('the environment that predicted'))
    .option('--days <n>', 'labels received in the last N days', '7')
    .addHelpText('after', examples('labels show flight-delay', 'labels show flight-delay --days 30'))
    .action(async (modelText: string, { env, days }: EnvironmentChoice & { days: string }) => {
      const model = requireModelName(modelText);
      const counts = await (await context.gateway(env)).labels(model, Number(days));
      context.output.result({ model, environment: env, ...counts }, () =>
        [
          table(
            context.output,
            ['labels', 'matched', 'waiting', 'unmatched'],
            [[counts.labels, counts.matched, counts.waiting, counts.unmatched]],
          ),
          ...(counts.unmatched > 0
            ? [`No prediction of ${model} in ${env} has these ids: ${counts.unmatchedIds.join(', ')}`]
            : []),
          ...(counts.waiting > 0
            ? ['Waiting: the prediction log is shipped every 20 seconds, later while the object store is away.']
            : []),
          ...(counts.complete ? [] : ['Too many labels or logs for one look: only the newest were counted.']),
        ].join('\n'),
      );
    });
}
