import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createSteeringActivities } from '../../../activities/rollout/steering.js';
import { rolloutStatus, steerRollout } from '../../../client/rollout.js';
import { routeHistory } from '../../support/route-history.js';
import { steeringOf } from '../../../db/rollout/steering-queries.js';
import type { SteeringCommand } from '../../../domain/workflow-inputs.js';
import { advanceSignal } from '../../../workflows/messages.js';
import { pollUntil } from '../../support/poll-until.js';
import { startApi, type TestApi } from './start-api.js';
import { openRolloutBench } from './rollout-bench.js';
import { startWorkers, type TestWorkers } from './start-workers.js';

const environment = 'production' as const;
const [ada, otto] = ['ada@example.org', 'otto@example.org'];

let running: TestApi;
let workers: TestWorkers;
type Bench = Awaited<ReturnType<typeof openRolloutBench>>;
let signer: Bench['signer'];
let rollingOut: Bench['rollingOut'];
let untilStage: Bench['untilStage'];
beforeAll(async () => {
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(running, { approver: [ada], reader: [otto] });
  ({ signer, rollingOut, untilStage } = await openRolloutBench(running, workers, ada));
}, 180_000);
afterAll(async () => {
  await workers.stop();
  await running.close();
});

const past = (model: string, command: SteeringCommand, actor: string, signature?: string) =>
  steerRollout(workers.temporal, environment, model, command, {
    actor,
    reason: 'seen enough',
    ...(signature && { signature }),
  });
const overApi = (rolloutId: string, command: SteeringCommand, actor: string) =>
  running.api.steerRollout(rolloutId, { command, actor, reason: 'seen enough' });
const refusedWith = (text: string) => ({ accepted: false, reason: expect.stringContaining(text) });

describe('while only what the API signed is believed, a rollout', () => {
  test('is moved by nobody past the API, and by somebody with the role through it; route and record say who, with which roles, and why', async () => {
    const { model, rolloutId, handle } = await rollingOut();
    expect(await past(model, 'advance', ada)).toMatchObject(refusedWith('it is not signed'));
    await handle.signal(advanceSignal, { actor: ada, reason: 'by hand' });
    await pollUntil('the Signal is written down', 30_000, async () =>
      (await steeringOf(running.db, rolloutId))[1] ? true : undefined,
    );
    expect(await overApi(rolloutId, 'advance', otto)).toMatchObject(refusedWith(`${otto} has none of the roles`));
    expect(await rolloutStatus(workers.temporal, environment, model)).toMatchObject({ state: 'running', step: 1 });

    expect((await running.perdure('rollout', 'advance', model, '--reason', 'seen enough')).code).toBe(0);
    await untilStage(model, rolloutId, 2);
    const { steering } = await running.api.rollout(rolloutId);
    const said = { command: 'advance', actor: ada, roles: ['approver'], stage: 0 };
    expect(steering).toMatchObject([
      {
        ...said,
        via: 'update',
        reason: 'seen enough',
        accepted: false,
        signed: false,
        answer: expect.stringContaining('not signed'),
      },
      {
        ...said,
        via: 'signal',
        reason: 'by hand',
        accepted: false,
        signed: false,
        answer: expect.stringContaining('not signed'),
      },
      { ...said, actor: otto, roles: ['reader'], via: 'update', reason: 'seen enough', accepted: false, signed: true },
      {
        ...said,
        via: 'update',
        reason: 'seen enough',
        accepted: true,
        signed: true,
        answer: 'continues with the next stage',
      },
    ]);
    expect(
      (await routeHistory(running.db, model)).map(({ reason, writtenBy }) => ({ reason, writtenBy })),
    ).toMatchObject([
      {},
      { writtenBy: { kind: 'stage', rolloutId, actor: null, roles: null } },
      {
        reason: expect.stringContaining(`advanced by ${ada} (approver): seen enough`),
        writtenBy: { kind: 'stage', rolloutId, actor: ada, roles: ['approver'] },
      },
    ]);
    await handle.terminate();
  });

  test('takes a signature that moves traffic for what it was given for, and once', async () => {
    const [first, second] = [await rollingOut(), await rollingOut()];
    const sign = (change: object = {}) =>
      signer.signSteering({
        ...{
          rolloutId: first.rolloutId,
          command: 'resume',
          stage: 0,
          actor: ada,
          reason: 'seen enough',
          at: new Date().toISOString(),
        },
        ...change,
      });
    const [good, pause] = [sign(), sign({ command: 'pause' })];
    const pausedAgain = () => past(first.model, 'pause', ada, pause);
    expect(await pausedAgain()).toMatchObject({ accepted: true });
    await past(second.model, 'pause', otto);
    expect(await past(second.model, 'resume', ada, good)).toMatchObject(refusedWith('does not match'));
    expect(await past(first.model, 'advance', ada, good)).toMatchObject(refusedWith('does not match'));
    expect(await past(first.model, 'resume', otto, good)).toMatchObject(refusedWith('does not match'));
    expect(await past(first.model, 'resume', ada, sign({ stage: 1 }))).toMatchObject(
      refusedWith('it was meant for stage 2'),
    );
    expect(await past(first.model, 'resume', ada, sign({ at: '2020-01-01T00:00:00.000Z' }))).toMatchObject(
      refusedWith('send it again'),
    );
    expect(await past(first.model, 'resume', otto, sign({ actor: otto }))).toMatchObject(
      refusedWith('none of the roles'),
    );
    expect(await past(first.model, 'resume', ada, good)).toEqual({ accepted: true, reason: 'resumed' });
    expect(await pausedAgain()).toMatchObject({ accepted: true });
    expect(await past(first.model, 'resume', ada, good)).toMatchObject(refusedWith('already used'));
    expect(await rolloutStatus(workers.temporal, environment, first.model)).toMatchObject({ state: 'paused', step: 1 });
    expect(
      (await steeringOf(running.db, first.rolloutId)).map(({ command, accepted }) => `${command} ${accepted}`),
    ).toEqual([
      ...['pause true', 'advance false', 'resume false', 'resume false', 'resume false', 'resume false'],
      ...['resume true', 'pause true', 'resume false'],
    ]);
    expect(await overApi(first.rolloutId, 'resume', ada)).toMatchObject({ accepted: true });
    await Promise.all([first.handle.terminate(), second.handle.terminate()]);
  });

  test('believes a signature once, however many send it in one moment', async () => {
    const { model, rolloutId, handle } = await rollingOut();
    await past(model, 'pause', otto);
    const said = { rolloutId, command: 'advance' as const, stage: 0, actor: ada, reason: 'seen enough' };
    const signature = signer.signSteering({ ...said, at: new Date().toISOString() });
    const rule = (index: number) =>
      workers.activities.activities.ruleOnSteering({
        ...{
          ...said,
          id: `${rolloutId}/at-once-${index}`,
          signature,
          via: 'update',
          refusedBecause: null,
          answer: 'goes on',
        },
      });
    const ruled = await Promise.all([1, 2, 3, 4, 5, 6].map(rule));
    expect(ruled.filter(({ accepted }) => accepted)).toHaveLength(1);
    const again = await Promise.all([1, 2, 3, 4, 5, 6].map(rule));
    expect(again).toEqual(ruled);
    await handle.terminate();
  });

  test('refuses a signature that cannot be checked, and says which file to correct', async () => {
    const decisions = { trust: 'signed' as const, verifyingKeysFile: path.join(running.uploadFolder, 'none.pem') };
    const config = { accessFile: path.join(running.uploadFolder, 'access.json'), decisions };
    const { ruleOnSteering } = createSteeringActivities({ db: running.db, config } as unknown as ActivityDependencies);
    const said = { rolloutId: randomUUID(), command: 'advance' as const, stage: 0, actor: ada, reason: '' };
    const signature = signer.signSteering({ ...said, at: new Date().toISOString() });
    const asked = {
      ...said,
      id: said.rolloutId,
      signature,
      via: 'update' as const,
      refusedBecause: null,
      answer: 'goes on',
    };
    expect(await ruleOnSteering(asked)).toMatchObject(refusedWith('none.pem cannot be read'));
  });

  test('is led back by anybody, and hears only what was said of itself: a word on one that has ended reaches no later one', async () => {
    const { model, rolloutId, handle, begin } = await rollingOut();
    await handle.terminate();
    const later = await begin();
    for (const command of ['pause', 'advance', 'abort'] as const)
      await expect(overApi(rolloutId, command, ada)).rejects.toMatchObject({ code: 'not-found' });
    expect(await rolloutStatus(workers.temporal, environment, model)).toMatchObject({
      rolloutId: later.rolloutId,
      state: 'running',
      step: 1,
    });
    expect(await steeringOf(running.db, later.rolloutId)).toEqual([]);
    expect(await past(model, 'abort', otto)).toMatchObject({ accepted: true });
    const back = await pollUntil('the way back is written', 30_000, async () =>
      (await routeHistory(running.db, model)).find(({ writtenBy }) => writtenBy?.kind === 'back'),
    );
    expect(back).toMatchObject({
      reason: expect.stringContaining(`aborted by ${otto}: seen enough`),
      writtenBy: { actor: otto, roles: ['reader'] },
    });
    expect(await steeringOf(running.db, later.rolloutId)).toMatchObject([
      { command: 'abort', actor: otto, accepted: true, signature: null },
    ]);
    await later.handle.terminate();
  });
});
