import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker, NativeConnection } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { connectTemporal } from '../../../client/connect.js';
import { replayOpenWorkflows, stuckText } from '../../../infra/embedded/replay-open-workflows.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { pollUntil } from '../../support/poll-until.js';

it(
  'an open workflow that would not go on with the code of this checkout is named before workers take over',
  { timeout: 180_000 },
  async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'perdure-replay-'));
    const env = { ...process.env, PERDURE_TASK_QUEUE: `replay-${randomUUID().slice(0, 8)}`, PERDURE_HOME: home };
    const config = loadTemporalConfig(env);
    const temporal = await connectTemporal(config);
    const connection = await NativeConnection.connect(config.connection);
    const worker = await Worker.create({
      ...{ connection, namespace: config.namespace, taskQueue: config.taskQueues.workflows },
      workflowsPath: path.join(import.meta.dirname, 'other-workflows.ts'),
    });
    const workflowId = `train/replay-${randomUUID().slice(0, 8)}`;
    const start = { taskQueue: config.taskQueues.workflows, workflowId, args: [{ model: 'm' }] };
    const handle = await temporal.client.workflow.start('trainModel', start);
    try {
      await worker.runUntil(
        pollUntil('the other story has begun', 60_000, async () => {
          const { events } = await handle.fetchHistory();
          return events?.some((event) => event.timerStartedEventAttributes) || undefined;
        }),
      );
      const place = { projectRoot: path.resolve('.'), env, temporal: config.connection, namespace: config.namespace };
      // The listing lags behind by moments.
      const report = await pollUntil('it is listed', 60_000, async () => {
        const found = await replayOpenWorkflows(place);
        return found.replayed > 0 ? found : undefined;
      });
      expect(report).toMatchObject({ replayed: 1, isWhole: true, stuck: [{ workflowId }] });
      expect(stuckText(report)).toMatch(
        new RegExp(`^1 open workflow\\(s\\) cannot continue with this code: ${workflowId} \\(.+Return to the code`),
      );
      await handle.terminate('the test is over');
      await pollUntil('it is gone', 60_000, async () => (await replayOpenWorkflows(place)).replayed === 0 || undefined);
    } finally {
      await temporal.close();
      await connection.close();
      rmSync(home, { recursive: true, force: true });
    }
  },
);
