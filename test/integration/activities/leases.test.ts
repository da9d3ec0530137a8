import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLeaseActivities } from '../../../activities/leases.js';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { createTestDatabase, type TestDatabase } from '../../setup/test-database.js';
import { pollUntil } from '../infra/poll-until.js';

let temporal: TemporalHandle;
let database: TestDatabase;
let db: Database;
let leases: ReturnType<typeof createLeaseActivities>;
let model: string;
beforeAll(async () => {
  temporal = await connectTemporal(loadTemporalConfig());
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  leases = createLeaseActivities({ db, temporal: temporal.client });
});
afterAll(async () => {
  await Promise.all([temporal.close(), db.close()]);
  await database.drop();
});
beforeEach(() => {
  model = `m-${randomUUID().slice(0, 8)}`;
});

/** A workflow that runs, since nobody works on its queue. */
async function running(workflowId = `train/${model}/${randomUUID()}`) {
  const handle = await temporal.client.workflow.start('trainModel', { workflowId, taskQueue: `nobody-${model}` });
  return { holder: { workflowId, runId: handle.firstExecutionRunId }, end: () => handle.terminate() };
}

const take = (holder: { workflowId: string; runId: string }) => leases.takeTrainingLease({ model, holder });

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
