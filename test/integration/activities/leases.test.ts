import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createLeaseActivities } from '../../../activities/leases.js';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import type { LeaseGrant } from '../../../domain/lease-holder.js';
import type { PerdureError } from '../../../domain/errors.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { closeRun } from '../../../db/training/run-queries.js';
import { runs } from '../../../db/schema/index.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { pollUntil } from '../../support/poll-until.js';

let temporal: TemporalHandle;
let database: TestDatabase;
let db: Database;
let leases: ReturnType<typeof createLeaseActivities>;
let model: string;
beforeAll(async () => {
  temporal = await connectTemporal(loadTemporalConfig());
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  leases = leasesOf(1);
});
afterAll(async () => {
  await Promise.all([temporal.close(), db.close()]);
  await database.drop();
});
beforeEach(() => {
  model = `m-${randomUUID().slice(0, 8)}`;
});

const leasesOf = (perModelMax: number) =>
  createLeaseActivities({
    db,
    temporal: temporal.client,
    config: { training: { perModelMax, highestPriority: 2 } } as ActivityDependencies['config'],
  });

/** A workflow that runs, since nobody works on its queue. */
async function running(workflowId = `train/${model}/${randomUUID()}`) {
  const handle = await temporal.client.workflow.start('trainModel', { workflowId, taskQueue: `nobody-${model}` });
  return { holder: { workflowId, runId: handle.firstExecutionRunId }, end: () => handle.terminate() };
}

/** As an activity that has just been scheduled, or that has been tried for so long. */
const asActivity = (work: () => Promise<LeaseGrant>, waitedMs = 0): Promise<LeaseGrant> =>
  new MockActivityEnvironment(
    { scheduledTimestampMs: Date.now() - waitedMs },
    { logger: new DefaultLogger('ERROR') },
  ).run<[], LeaseGrant, () => Promise<LeaseGrant>>(work);
const take = (holder: { workflowId: string; runId: string }, waitedMs = 0) =>
  asActivity(() => leases.takeTrainingLease({ model, holder }), waitedMs);

describe('the training lease of a model', () => {
  it('is waited for while its holder runs, and says who goes first', async () => {
    const first = await running();
    const second = await running();
    const grant = await take(first.holder);
    await expect(take(second.holder)).rejects.toMatchObject({
      code: 'lease/held',
      retryable: true,
      message: expect.stringContaining(first.holder.workflowId),
    });
    // Asked again soon at first, and each ten seconds where it takes long.
    for (const [waitedMs, least, most] of [
      [0, 500, 600],
      [100_000, 5000, 6000],
      [86_400_000, 10_000, 10_000],
    ] as const) {
      const held: unknown = await take(second.holder, waitedMs).catch((error: unknown) => error);
      const { retryAfterMs } = (held as PerdureError).details as { retryAfterMs: number };
      expect(retryAfterMs).toBeGreaterThanOrEqual(least);
      expect(retryAfterMs).toBeLessThanOrEqual(most);
    }
    await leases.releaseLease(grant);
    expect((await take(second.holder)).token).toBeGreaterThan(grant.token);
    await Promise.all([first.end(), second.end()]);
  });

  it('is taken from a holder that ended without giving it back, and from one that Temporal no longer knows', async () => {
    const first = await running();
    const lost = await take(first.holder);
    await first.end();
    const second = await running();
    expect((await take(second.holder)).token).toBe(lost.token + 1);
    await second.end();

    model = `m-${randomUUID().slice(0, 8)}`;
    await take({ workflowId: `train/${model}/forgotten`, runId: randomUUID() });
    const third = await running();
    expect((await take(third.holder)).holder).toContain(third.holder.workflowId);
    await third.end();
  });

  it('stays with a workflow that continued as new, and is taken once that chain ended, even by one of the same id', async () => {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    });
    const connection = await NativeConnection.connect(loadTemporalConfig().connection);
    const taskQueue = `continues-${model}`;
    const workflowsPath = path.join(import.meta.dirname, 'continues-once.ts');
    const worker = await Worker.create({ connection, taskQueue, workflowsPath });
    await worker.runUntil(async () => {
      const workflowId = `train/${model}/long`;
      const first = await temporal.client.workflow.start('continuesOnce', { workflowId, taskQueue, args: [false] });
      await pollUntil('it continues as new', 20_000, async () => {
        const { status } = await temporal.client.workflow.getHandle(workflowId, first.firstExecutionRunId).describe();
        return status.name === 'CONTINUED_AS_NEW' ? true : undefined;
      });
      const lost = await take({ workflowId, runId: first.firstExecutionRunId });
      const other = await running();
      await expect(take(other.holder)).rejects.toMatchObject({ code: 'lease/held' });
      await other.end();

      await temporal.client.workflow.getHandle(workflowId).terminate();
      const next = await running(workflowId);
      expect((await take(next.holder)).token).toBe(lost.token + 1);
      await next.end();
    });
    await connection.close();
  });
});

describe('the slots of a model', () => {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  /** An open run whose workflow runs. */
  async function waiting({
    priority = 3,
    startedAt = new Date(),
    askedAt = null,
  }: { priority?: number; startedAt?: Date; askedAt?: Date | null } = {}) {
    const run = await running();
    const { runId: id, workflowId } = run.holder;
    await db.orm
      .insert(runs)
      .values({ id, workflowId, model, definitionSha256, cause: { kind: 'backfill' }, priority, startedAt, askedAt });
    return run;
  }
  let definitionSha256: string;
  beforeAll(async () => {
    definitionSha256 = (await applyDefinition(db, parseModelDefinition(flightDelay), 'test')).sha256;
  });

  it('go to the more urgent run first, then to the one that has waited longest, whoever asks first', async () => {
    const [late, early, urgent] = [
      await waiting({ startedAt: minutesAgo(1) }),
      await waiting({ startedAt: minutesAgo(2) }),
      await waiting({ priority: 2 }),
    ];
    for (const run of [late, early])
      await expect(take(run.holder)).rejects.toMatchObject({
        code: 'lease/held',
        message: expect.stringContaining(urgent.holder.workflowId),
      });
    for (const run of [urgent, early, late]) {
      const grant = await take(run.holder);
      await leases.releaseLease(grant);
      await closeRun(db, { runId: run.holder.runId, outcome: 'no-new-data', reason: '', watermark: null });
      await run.end();
    }
  });

  it('are as many as the installation allows, asked for by any number at once, and each run has one', async () => {
    const asked = await Promise.all(Array.from({ length: 7 }, () => waiting()));
    const three = leasesOf(3);
    const took = async () =>
      (
        await Promise.allSettled(
          asked.map(({ holder }) => asActivity(() => three.takeTrainingLease({ model, holder }))),
        )
      ).filter((one) => one.status === 'fulfilled');
    await took();
    const granted = (await took()).map((one) => one.value);
    expect(granted.map((grant) => grant.name).toSorted()).toEqual([
      `train/${model}`,
      `train/${model}/2`,
      `train/${model}/3`,
    ]);
    expect(new Set(granted.map((grant) => grant.holder)).size).toBe(3);
    // A smaller limit takes nothing away, and gives nothing more.
    const [first] = granted;
    if (first) await three.releaseLease(first);
    const left = asked.filter(({ holder }) => !granted.some((grant) => grant.holder.includes(holder.runId)));
    for (const { holder } of left)
      await expect(asActivity(() => leasesOf(2).takeTrainingLease({ model, holder }))).rejects.toMatchObject({
        code: 'lease/held',
      });
    await Promise.all(asked.map((run) => run.end()));
  });

  it('are held up by no run that has stopped asking, nor by one that ended without a word', async () => {
    const stuck = await waiting({ startedAt: minutesAgo(60), askedAt: minutesAgo(30) });
    const ended = await waiting({ startedAt: minutesAgo(5) });
    await take(ended.holder);
    await ended.end();
    const next = await waiting();
    expect((await take(next.holder)).name).toBe(`train/${model}`);
    await Promise.all([stuck.end(), next.end()]);
  });
});
