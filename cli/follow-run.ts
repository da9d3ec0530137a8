import type { ApiClient } from '../client/http/api-client.js';
import type { TemporalHandle } from '../client/connect.js';
import { trainingResult } from '../client/training.js';
import type { Started } from '../client/workflow-result.js';
import type { CliContext } from './context.js';
import { exitCodeOfRun } from './exit-code.js';
import { follow } from './follow.js';
import { duration } from './format/time.js';
import { workflowLines } from './workflow-lines.js';

/** Shows a run's steps until it ends, then its result; the exit code is the outcome's. */
export async function followRun(
  context: CliContext,
  handle: TemporalHandle,
  model: string,
  started: Started,
): Promise<void> {
  const { output } = context;
  output.progress(`Run ${started.runId} of ${model} (workflow ${started.workflowId})`);
  const result = await follow(context, {
    result: trainingResult(handle, started.workflowId, started.runId),
    look: async () => [
      ...(await finishedSteps(context.api(), started.runId)),
      ...(await goingOn(() => workflowLines(handle, started))),
    ],
    interrupted: `Interrupted: run ${started.runId} continues. Watch it with \`${watchRun(started)}\`.`,
  });
  context.exitCode = exitCodeOfRun(result.outcome);
  output.result({ ...result, workflowId: started.workflowId }, () => {
    const version =
      typeof result.version === 'number'
        ? `\nSee it: perdure versions show ` +
          `${model}@${result.version}${
            result.promotion ? `\nIts promotion: perdure promotions show ${result.promotion}` : ''
          }`
        : '';
    return `${result.outcome}: ${result.reason}${version}`;
  });
}

export const watchRun = ({ runId }: Started): string => `perdure runs show ${runId}`;

async function finishedSteps(api: ApiClient, runId: string): Promise<string[]> {
  const run = await api.run(runId).catch(() => undefined);
  return (run?.steps ?? []).flatMap((step) =>
    step.durationMs === null
      ? []
      : [`✓ ${step.step} (${duration(step.durationMs)})${step.summary ? `: ${step.summary}` : ''}`],
  );
}

/** Only what goes on: what is done stands in the run's steps, with its duration. */
async function goingOn(lines: () => Promise<string[]>): Promise<string[]> {
  return (await lines().catch((): string[] => [])).filter((line) => !line.startsWith('✓'));
}
