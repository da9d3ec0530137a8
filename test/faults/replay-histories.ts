import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import proto from '@temporalio/proto';
import type { TemporalHandle } from '../../client/connect.js';
import { bundleSources } from '../../workers/workflow-bundle.js';

let bundle: Promise<WorkflowBundle> | undefined;

/** Bundling takes this process several seconds in which it does nothing else: it is done before there is traffic. */
export async function prepareReplay(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  bundle ??= bundleWorkflowCode({ ...bundleSources, logger: new DefaultLogger('ERROR') });
  await bundle;
}

/** Replays the histories of these workflows as they are now, ended or not, on the present code: what is wrong with each, null for nothing. */
export async function replayHistories({ client }: TemporalHandle, executions: readonly { workflowId: string; runId: string }[]) {
  if (bundle === undefined) throw new Error('prepareReplay comes first');
  const histories = await Promise.all(
    executions.map(async ({ workflowId, runId }) => {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      return { workflowId: `${workflowId} ${runId}`, history: proto.temporal.api.history.v1.History.fromObject(history) };
    }),
  );
  const replays: Record<string, string | null> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: await bundle }, histories))
    replays[workflowId] = error?.message ?? null;
  return replays;
}
