import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createReconciliationActivities } from '../../../activities/reconciliation.js';
import { rolloutById } from '../../../db/rollout/rollout-queries.js';
import { pollUntil } from '../../support/poll-until.js';
import { openRolloutBench } from '../api/rollout-bench.js';
import { startApi, type TestApi } from '../api/start-api.js';
import { startWorkers, type TestWorkers } from '../api/start-workers.js';

const environment = 'production' as const;
let running: TestApi;
let workers: TestWorkers;
let bench: Awaited<ReturnType<typeof openRolloutBench>>;
beforeAll(async () => {
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(
    running,
    { approver: ['ada@example.org'] },
    {
      // The gateway of the bench is a row that acknowledges: nobody is there to be asked for an answer.
      replaced: ({ waits }) => ({
        waits: { ...waits, probe: () => Promise.resolve({ answered: 1, probes: [], replacedBy: null }) },
      }),
    },
  );
  bench = await openRolloutBench(running, workers, 'ada@example.org');
}, 180_000);
afterAll(async () => {
  await workers.stop();
  await running.close();
});

/** As a worker runs it, with the real server behind it. */
const run = <Asked extends unknown[], Answer>(activity: (...asked: Asked) => Promise<Answer>, ...asked: Asked) =>
  new MockActivityEnvironment().run<Asked, Answer, (...asked: Asked) => Promise<Answer>>(activity, ...asked);
const held = expect.objectContaining({
  code: 'lease/held',
  details: expect.objectContaining({ retryAfterMs: expect.any(Number) }),
});

it('who waits for a rollout waits while it runs, and hears how it ended: by a cancellation, which is asked for once or twice, or by force', async () => {
  const { awaitRolloutTurn, awaitRolloutEnd } = workers.activities.waits;
  const { cancelRollout } = workers.activities.activities;
  const { model, rolloutId } = await bench.rollingOut();
  const asked = { environment, model, rolloutId };
  await expect(run(awaitRolloutTurn, asked)).rejects.toEqual(held);
  await expect(run(awaitRolloutEnd, asked)).rejects.toEqual(held);

  await run(cancelRollout, { ...asked, rolloutId: 'another run' }).catch(() => undefined);
  await expect(run(awaitRolloutEnd, asked), 'what was said to another').rejects.toEqual(held);
  await run(cancelRollout, asked);
  await run(cancelRollout, asked);
  const end = await pollUntil('the rollout is over', 30_000, async () => {
    await bench.serve(model);
    return run(awaitRolloutEnd, asked);
  });
  expect(end).toMatchObject({ rolloutId, state: 'aborted' });
  await run(awaitRolloutTurn, asked);
  await run(cancelRollout, asked);
  expect(await rolloutById(running.db, rolloutId)).toMatchObject({ state: 'aborted' });

  const other = await bench.rollingOut();
  const askedOther = { environment, model: other.model, rolloutId: other.rolloutId };
  await other.handle.terminate('by force');
  await run(awaitRolloutTurn, askedOther);
  await expect(run(awaitRolloutEnd, askedOther)).rejects.toThrow(/terminated|by force/);
}, 120_000);

it('who watches open rows goes on while all is well, and tells of a rollout that was ended by force', async () => {
  const { rolloutId, handle } = await bench.rollingOut();
  const deps = { db: running.db, temporal: workers.temporal.client };
  const { watchOpenRows } = createReconciliationActivities(deps, { everyMs: 200 });
  const beats: unknown[] = [];
  const place = new MockActivityEnvironment();
  place.on('heartbeat', (beat) => beats.push(beat));
  let found: unknown;
  const watching = place.run(watchOpenRows).then((result) => (found = result));
  await pollUntil('it has watched for a while', 30_000, async () => (beats.length >= 2 ? true : undefined));
  expect(found).toBeUndefined();
  await handle.terminate('by force');
  await pollUntil('the watch has found it', 30_000, async () => (found === undefined ? undefined : true));
  expect(JSON.stringify(await watching)).toContain(rolloutId);
}, 120_000);
