import { type WorkflowBundle, Worker, bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import proto from '@temporalio/proto';
import type { TemporalHandle } from '../../client/connect.js';
import { bundleSources } from '../../workers/workflow-bundle.js';

let bundle: Promise<WorkflowBundle> | undefined;

/** Replays the histories of these workflows as they are now, ended or not, on the present code: what is wrong with each, null for nothing. */
export async function replayHistories({ client }: TemporalHandle, executions: readonly { workflowId: string; runId: string }[]) {
  bundle ??= bundleWorkflowCode({ ...bundleSources, logger: new DefaultLogger('ERROR') });
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
