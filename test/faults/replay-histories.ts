import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import proto from '@temporalio/proto';
import type { TemporalHandle } from '../../client/connect.js';
import { bundleSources } from '../../workers/workflow-bundle.js';
import type { Facts, Probed } from './facts.js';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

let bundle: Promise<WorkflowBundle> | undefined;

/** Bundling takes this process several seconds in which it does nothing else: it is done before there is traffic. */
export async function prepareReplay(): Promise<void> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  bundle ??= bundleWorkflowCode({ ...bundleSources, logger: new DefaultLogger('ERROR') });
  await bundle;
}

/**
 * Reads the histories of these workflows as they are now, ended or not: what is wrong with each when the present code
 * replays it, and the probes that they recorded.
 */
export async function readHistories(
  { client }: TemporalHandle,
  executions: readonly { workflowId: string; runId: string }[],
): Promise<Pick<Facts, 'replays' | 'probes'>> {
  if (bundle === undefined) throw new Error('prepareReplay comes first');
  const histories = await Promise.all(
    executions.map(async ({ workflowId, runId }) => {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      return { workflowId: `${workflowId} ${runId}`, runId, history: History.fromObject(history) };
    }),
  );
  const replays: Facts['replays'] = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: await bundle }, histories))
    replays[workflowId] = error?.message ?? null;
  return { replays, probes: histories.flatMap(({ runId, history }) => probesOf(runId, history)) };
}

function probesOf(runId: string, { events }: History): Probed[] {
  const asked = new Map<string, number>();
  return (events ?? []).flatMap(
    ({ eventId, activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: done }) => {
      if (scheduled?.activityType?.name === 'probe')
        asked.set(
          String(eventId),
          fromPayloadsAtIndex<{ version: number }>(defaultPayloadConverter, 0, scheduled.input?.payloads).version,
        );
      const version = asked.get(String(done?.scheduledEventId));
      if (!done || version === undefined) return [];
      const { answered, replacedBy } = fromPayloadsAtIndex<Pick<Probed, 'answered' | 'replacedBy'>>(
        defaultPayloadConverter,
        0,
        done.result?.payloads,
      );
      return [{ runId, version, answered, replacedBy }];
    },
  );
}
