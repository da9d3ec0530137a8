import { afterAll, beforeAll, expect, test } from 'vitest';
import { acquireLease, releaseLease } from '../../../db/lease-queries.js';
import { routeOf, writeRoute } from '../../../db/serving/route-queries.js';
import { routeChanges } from '../../../db/serving/route-state.js';
import { leaseNames } from '../../../domain/ids.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

const owner = 'ada@example.org';
const definition = ownDefinition();
const { name: model } = definition;
let running: TestApi;

beforeAll(async () => {
  running = await startApi();
  await running.api.apply({ definitions: [definition], actor: owner });
  await serve(3, 'first');
});
afterAll(async () => {
  await running.api.apply({ definitions: [], prune: true, actor: owner });
  await running.close();
});

const lease = (holder: string) => acquireLease(running.db, leaseNames.rollout('production', model), holder);

async function serve(version: number, idempotencyKey: string) {
  const taken = await lease('a rollout|1');
  if (!('grant' in taken)) throw new Error('the lease is held');
  const split = [{ version, sharePct: 100 }];
  await writeRoute(running.db, {
    environment: 'production',
    model,
    split,
    reason: 'test',
    idempotencyKey,
    lease: taken.grant,
  });
  await releaseLease(running.db, taken.grant);
}

test('a model that serves is not pruned, planned or applied, and nothing else of that apply is done', async () => {
  const beside = ownDefinition();
  for (const plan of [true, false]) {
    await expect(running.api.apply({ definitions: [beside], prune: true, plan, actor: owner })).rejects.toMatchObject({
      code: 'state/conflict',
      message: expect.stringMatching(
        new RegExp(`${model}@3 in production still serves.*perdure models retire ${model} --reason`),
      ) as string,
    });
  }
  expect((await running.api.models()).items.map((one) => one.name)).toEqual([model]);
});

test('its service is ended by whoever has the role, with a reason, and not while a rollout moves it', async () => {
  await expect(running.api.retireModel(model, { actor: 'eve@example.org', reason: 'mine now' })).rejects.toThrow(
    /requires the role owner or approver/,
  );
  await expect(running.api.retireModel(model, { actor: owner, reason: '  ' })).rejects.toMatchObject({
    code: 'input/invalid',
  });
  await expect(running.api.retireModel(ownDefinition().name, { actor: owner, reason: 'x' })).rejects.toMatchObject({
    code: 'not-found',
  });
  const taken = await lease('rollout/production/x|1');
  await expect(running.api.retireModel(model, { actor: owner, reason: 'x' })).rejects.toThrow(
    /rollout\/production\/x is changing .* Abort it/,
  );
  if ('grant' in taken) await releaseLease(running.db, taken.grant);
  expect((await routeOf(running.db, 'production', model))?.epoch).toBe(1);
});

test('nor does anybody without the role let go of what gateways serve from an earlier database', async () => {
  const order = { actor: 'eve@example.org', environment: 'production', reason: 'mine now' };
  const refused = await running.app.inject({
    method: 'POST',
    url: '/api/v1/models/gone/routes/let-go',
    payload: order,
  });
  expect(refused.json()).toMatchObject({ error: { code: 'access/denied' } });
});

test('after its end gateways are told so, its history can be read, and it may be pruned; ending it again changes nothing', async () => {
  const ended = { by: owner, reason: 'replaced' };
  const first = await running.perdure('models', 'retire', model, '--reason', ended.reason, '--json');
  expect(first.code, first.stderr).toBe(0);
  expect(await running.api.retireModel(model, { actor: owner, reason: 'again' })).toMatchObject([{ epoch: 2, ended }]);
  expect((await running.api.routes()).items).toEqual([]);
  expect((await routeChanges(running.db, 'production', 0)).routes).toMatchObject([{ model, epoch: 2, ended }]);
  expect((await running.api.apply({ definitions: [], prune: true, actor: owner })).definitions).toMatchObject([
    { model, change: 'retired' },
  ]);
  expect((await running.api.routeHistory(model)).items).toMatchObject([
    { epoch: 2, reason: `service ended by ${owner}: replaced`, ended },
    { epoch: 1 },
  ]);
});

test('what is promoted after it serves again', async () => {
  await running.api.apply({ definitions: [definition], actor: owner });
  await serve(4, 'again');
  expect((await running.api.routes()).items).toMatchObject([
    { model, epoch: 3, split: [{ version: 4, sharePct: 100 }] },
  ]);
  await running.api.retireModel(model, { actor: owner, reason: 'the test is over' });
});
