import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withHeartbeat } from '../../../activities/heartbeat.js';
import { startPromotion } from '../../../client/promotion.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import type { RunResult } from '../../../workflows/training/train-model.js';
import { registerFirstVersion } from '../api/registered-version.js';
import { ownDefinition, startApi, type TestApi } from '../api/start-api.js';
import { startWorkers, type TestWorkers } from '../api/start-workers.js';
import { rolloutWithLooks } from '../../../db/rollout/rollout-lists.js';
import { openRolloutBench } from '../api/rollout-bench.js';
import { pollUntil } from '../../support/poll-until.js';

let running: TestApi;
let workers: TestWorkers;
let endTraining: () => void;
/** Models whose trainer has begun. */
const training: string[] = [];
/** Models whose snapshot is being taken. */
const snapshots: string[] = [];
/** Models that are evaluated again, for evidence that never comes. */
const evaluatedAgain: string[] = [];
const approver = 'ada@example.org';

beforeAll(async () => {
  const held = new Promise<void>((resolve) => (endTraining = resolve));
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(
    running,
    { approver: ['*'] },
    {
      slots: { training: 1, data: 2, evidence: 2, judging: 1 },
      replaced: {
        evidence: {
          gatherEvidence: (asked) => {
            if (!isHeavy(asked.model)) return workers.activities.evidence.gatherEvidence(asked);
            evaluatedAgain.push(asked.model);
            return withHeartbeat(() => held.then(() => Promise.reject(new Error('the test is over'))));
          },
        },
        data: {
          takeSnapshot: async ({ model, until }) => {
            snapshots.push(model);
            if (until !== null) await withHeartbeat(() => held);
            return { outcome: 'taken', snapshotSha256: 'a'.repeat(64), watermark: null, summary: 'taken by the test' };
          },
          compactDay: () => Promise.reject(new Error('no log of this test is compacted')),
          evaluateRun: () => Promise.reject(new Error('no training of this test ends')),
        },
        training: {
          trainFold: () => Promise.reject(new Error('no run of this test is cross-validated')),
          adoptModel: () => Promise.reject(new Error('nothing is imported here')),
          train: async ({ runId }) => {
            training.push(runId);
            await withHeartbeat(() => held);
            throw new Error('the test is over');
          },
        },
      },
    },
  );
}, 180_000);
afterAll(async () => {
  endTraining();
  await workers.stop();
  await running.close();
});

/** Models whose evidence takes for ever. */
const heavy = new Set<string>();
const isHeavy = (model: string) => heavy.has(model);

/** A run of a model of its own; with `until` its snapshot never ends. */
async function startRun(until?: string) {
  const definition = ownDefinition({ triggers: { schedules: [] } });
  await applyDefinition(running.db, definition, 'test');
  const { client, config } = workers.temporal;
  return client.workflow.start<(input: unknown) => Promise<RunResult>>('trainModel', {
    taskQueue: config.taskQueues.workflows,
    workflowId: `train/${definition.name}/${randomUUID()}`,
    args: [{ model: definition.name, ...(until && { until }) }],
  });
}

const promote = (model: string) =>
  startPromotion(workers.temporal, {
    ...{ model, version: 1, environment: 'production' },
    requestedBy: 'rita@example.org',
  });

describe('while trainers and snapshots hold every slot and more wait', () => {
  it(
    'the evidence of a promotion is shown at once, and the judge looks at a rollout also while evidence holds its own',
    { timeout: 120_000 },
    async () => {
      const runs = await Promise.all([startRun(), startRun(), startRun()]);
      await pollUntil('one trains, and two wait for its slot', 60_000, async () => {
        const steps = await Promise.all(runs.map(({ firstExecutionRunId }) => running.api.run(firstExecutionRunId)));
        return training.length === 1 && snapshots.length === 3 && steps.every((run) => run.outcome === null)
          ? true
          : undefined;
      });
      const held = await Promise.all([startRun('2013-02'), startRun('2013-02'), startRun('2013-02')]);
      await pollUntil('two snapshots hold their slots', 60_000, async () =>
        snapshots.length === 5 ? true : undefined,
      );

      const { model } = await registerFirstVersion(running, { firstVersion: 'approval', approvals: { count: 1 } });
      await promote(model);
      await pollUntil('the promotion waits for an approval', 30_000, async () => {
        const {
          items: [found],
        } = await running.api.promotions({ model, version: 1 });
        return found?.state === 'waiting-for-approval' ? true : undefined;
      });
      expect(training).toHaveLength(1);
      expect(snapshots).toHaveLength(5);

      // As many as there are slots are evaluated again meanwhile, and more wait.
      const promotions = { firstVersion: 'approval', approvals: { count: 1 } } as const;
      for (let count = 0; count < 3; count += 1) {
        const again = await registerFirstVersion(running, promotions);
        heavy.add(again.model);
        await promote(again.model);
      }
      await pollUntil('evidence holds its slots', 30_000, async () => (evaluatedAgain.length === 2 ? true : undefined));
      const { rollingOut, serve } = await openRolloutBench(running, workers, approver);
      const rollout = await rollingOut();
      await pollUntil('the judge has looked at a rollout', 30_000, async () => {
        await serve(rollout.model);
        const { looks } = await rolloutWithLooks(running.db, rollout.rolloutId);
        return looks.length >= 2 ? true : undefined;
      });
      expect([training.length, snapshots.length, evaluatedAgain.length]).toEqual([1, 5, 2]);
      await rollout.handle.terminate('the test is over');
      for (const run of [...runs, ...held]) await run.terminate('the test is over');
    },
  );
});
