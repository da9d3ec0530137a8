import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker, type ReplayHistoriesIterable } from '@temporalio/worker';
import { loadPerdureConfig } from '../perdure.config.js';
import { loadTemporalConfig } from '../temporal.config.js';
import { loadWorkflowBundle } from './workflow-bundle.js';

const workflowsMax = 200;
const budgetMs = 30_000;

/**
 * A process that replays the histories of open workflows on the code of this checkout and prints, as one line of JSON,
 * which of them would not go on with it.
 */
async function main(): Promise<void> {
  const temporal = loadTemporalConfig();
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const connection = await Connection.connect(temporal.connection);
  const { workflow } = new Client({ connection, namespace: temporal.namespace });
  const deadline = Date.now() + budgetMs;
  let isWhole = true;

  async function* histories(): ReplayHistoriesIterable {
    let taken = 0;
    for await (const { workflowId, runId } of workflow.list({
      query: `ExecutionStatus = 'Running' AND TaskQueue = '${temporal.taskQueues.workflows}'`,
    })) {
      if (taken === workflowsMax || Date.now() > deadline) {
        isWhole = false;
        return;
      }
      taken += 1;
      yield { workflowId, history: await workflow.getHandle(workflowId, runId).fetchHistory() };
    }
  }

  let replayed = 0;
  const stuck: { workflowId: string; reason: string }[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    await loadWorkflowBundle(loadPerdureConfig().home),
    histories(),
  )) {
    replayed += 1;
    if (error) stuck.push({ workflowId, reason: error.message.slice(0, 300) });
  }
  await connection.close();
  process.stdout.write(`${JSON.stringify({ replayed, isWhole, stuck })}\n`);
}

await main();
process.exit(0);
