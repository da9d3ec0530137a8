import type { Command } from 'commander';
import type { RunDetail } from '../../client/http/runs.js';
import { PerdureError } from '../../domain/errors.js';
import { inReportOrder } from '../../domain/metrics/metric-catalogue.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { runState } from '../format/run-state.js';
import { gateTable } from '../format/gate-table.js';
import { fields, table } from '../format/table.js';
import { duration, localTime } from '../format/time.js';
import { causeText, dataText, headlineText, metric, shortDigest } from '../format/words.js';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import type { Output } from '../output.js';
import { requireModelName } from '../parse/version-ref.js';

/** `runs ls`, `runs show` and `runs cancel`. */
export function registerRuns(program: Command, context: CliContext): void {
  const runs = program.command('runs').description('training runs');

  addPageOptions(runs.command('ls [model]'))
    .description('list runs, the newest first')
    .addHelpText('after', examples('runs ls', 'runs ls flight-delay --limit 5', 'runs ls --json'))
    .action(async (model: string | undefined, options: PageOptions) => {
      const { output } = context;
      const page = await context.api().runs({ model: model && requireModelName(model), ...pageQuery(options) });
      showPage(output, page, (found) => {
        if (found.length === 0) return `No run yet. Start one: perdure train ${model ?? 'MODEL'} --wait`;
        const rows = found.map((run) => [
          run.id,
          run.model,
          causeText(run.cause),
          localTime(run.startedAt),
          run.finishedAt ? duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt)) : null,
          runState(output, run),
          run.version,
          headlineText(run.metrics ?? {}),
        ]);
        return table(output, ['run', 'model', 'cause', 'started', 'took', 'outcome', 'version', 'measured'], rows);
      });
    });

  runs
    .command('show <run>')
    .description('show a run: its steps, gates and results')
    .addHelpText('after', examples('runs show 0199c0de-1c1e-7a44-a7f5-2f0e8a8f1a11'))
    .action(async (id: string) => {
      const run = await context.api().run(id);
      context.output.result(run, () => describeRun(context.output, run));
    });

  runs
    .command('cancel <run>')
    .description('cancel a running run; its trainer is stopped and nothing is registered')
    .addHelpText('after', examples('runs cancel 0199c0de-1c1e-7a44-a7f5-2f0e8a8f1a11'))
    .action(async (id: string) => {
      const run = await context.api().run(id);
      if (run.finishedAt !== null)
        throw new PerdureError(
          'state/conflict',
          `Run ${id} has already ended: ${run.outcome ?? 'without an outcome'}.`,
        );
      const [handle, { cancelTraining }] = await Promise.all([context.temporal(), import('../../client/training.js')]);
      await cancelTraining(handle, run.workflowId, run.id);
      context.output.result(
        { run: id, cancelling: true },
        () => `Run ${id} is being cancelled. See how it ended: perdure runs show ${id}`,
      );
    });
}

/** A run for people. */
export function describeRun(output: Output, run: RunDetail): string {
  const window = (one: RunDetail['trainedOn']) => one && `${one.from} to ${one.to} (exclusive), ${one.rows} rows`;
  const parts = [
    fields([
      ['run', run.id],
      ['workflow', run.workflowId],
      ['model', run.model],
      ['cause', causeText(run.cause)],
      ['started', localTime(run.startedAt)],
      ['finished', localTime(run.finishedAt, 'not yet')],
      ['priority', run.priority],
      ['outcome', `${runState(output, run)}${run.reason ? `: ${run.reason}` : ''}`],
      ['version', run.version],
      ['data', dataText(run)],
      ['trained on', window(run.trainedOn)],
      ['tested on', window(run.testedOn)],
      ['snapshot', shortDigest(run.snapshotSha256)],
      ['artifact', shortDigest(run.artifactSha256)],
    ]),
    table(
      output,
      ['step', 'started', 'took', 'made'],
      run.steps.map((step) => [
        step.step,
        localTime(step.startedAt),
        step.durationMs === null ? 'running' : duration(step.durationMs),
        step.summary,
      ]),
    ),
  ];
  if (run.gates) parts.push(gateTable(output, run.gates));
  if (run.metrics)
    parts.push(fields(inReportOrder(Object.keys(run.metrics)).map((name) => [name, metric(run.metrics?.[name])])));
  return parts.join('\n\n');
}
