import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { cancelTraining, startTraining } from '../../../client/training.js';
import { loadTemporalConfig } from '../../../temporal.config.js';

const startedSchema = z.object({ workflowId: z.string(), runId: z.string(), attached: z.boolean() });

let temporal: TemporalHandle;
beforeAll(async () => {
  temporal = await connectTemporal(loadTemporalConfig());
});
afterAll(() => temporal.close());

/** Runs the script with Temporal's address alone in its environment. */
async function fromCi(model: string, commit: string, address = process.env['TEMPORAL_ADDRESS'] ?? '') {
  const script = path.resolve('test', 'integration', 'client', 'train-from-ci.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, model, commit], {
    env: { PATH: process.env['PATH'], TEMPORAL_ADDRESS: address },
  });
  return startedSchema.parse(JSON.parse(stdout));
}

describe('a CI job that knows Temporal’s address alone', () => {
  it('starts one training a commit: a repeated job finds the run of the first', async () => {
    const model = `m-${randomUUID().slice(0, 8)}`;
    const first = await fromCi(model, 'abc1234');
    expect(first).toMatchObject({ workflowId: `train/${model}/code-abc1234`, attached: false });
    expect(await fromCi(model, 'abc1234')).toEqual({ ...first, attached: true });
    expect((await fromCi(model, 'def5678')).runId).not.toBe(first.runId);

    const described = await temporal.client.workflow.getHandle(first.workflowId).describe();
    expect(described).toMatchObject({ type: 'trainModel', taskQueue: 'perdure', status: { name: 'RUNNING' } });
    await temporal.client.workflow.getHandle(first.workflowId).terminate();
    await temporal.client.workflow.getHandle(`train/${model}/code-def5678`).terminate();
  });

  it('is told which address does not answer, and the variable that names it', async () => {
    await expect(fromCi('flight-delay', 'abc', '127.0.0.1:1')).rejects.toThrow(
      /127\.0\.0\.1:1 does not answer.*TEMPORAL_ADDRESS/s,
    );
  });
});

describe('starting a training', () => {
  it('without a cause id starts a run each time, and refuses a bad request before anything is started', async () => {
    const model = `m-${randomUUID().slice(0, 8)}`;
    const runs = [await startTraining(temporal, { model }), await startTraining(temporal, { model })];
    expect(new Set(runs.map((run) => run.workflowId)).size).toBe(2);
    for (const { workflowId } of runs) await temporal.client.workflow.getHandle(workflowId).terminate();
    await expect(startTraining(temporal, { model, until: 'April' })).rejects.toMatchObject({
      code: 'input/invalid',
      message: expect.stringContaining('until'),
    });
  });

  it('again after it failed or was ended starts a new run of the same cause', async () => {
    const model = `m-${randomUUID().slice(0, 8)}`;
    const request = { model, cause: { kind: 'data', id: '2013-03' } } as const;
    const first = await startTraining(temporal, request);
    await temporal.client.workflow.getHandle(first.workflowId).terminate();
    const second = await startTraining(temporal, request);
    expect(second).toMatchObject({ workflowId: first.workflowId, attached: false });
    expect(second.runId).not.toBe(first.runId);
    await cancelTraining(temporal, second.workflowId);
    await temporal.client.workflow.getHandle(second.workflowId).terminate();
  });
});
