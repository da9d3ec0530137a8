import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, type TestWorld } from '../../support/gateway-harness.js';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
});
afterEach(() => world.close());

const model = 'flight-delay';
const all = (version: number) => [{ version, sharePct: 100 }];
const acknowledged = (epoch: number) => world.controlPlane.acknowledgements.filter((one) => one.epoch === epoch);
const inForce = (epoch: number) => () => acknowledged(epoch).some((one) => one.error === undefined);

/** Waits until the gateway has looked at the control plane several times. */
async function severalLooks(): Promise<void> {
  const before = world.controlPlane.looks;
  await eventually('several looks', () => world.controlPlane.looks > before + 3);
}

const keptSchema = z.object({ routes: z.array(z.object({ model: z.string(), epoch: z.number() })) });
const keptEpochs = async () =>
  Object.fromEntries(
    keptSchema
      .parse(JSON.parse(await readFile(path.join(world.folder, 'home', 'routes.json'), 'utf8')))
      .routes.map((route) => [route.model, route.epoch]),
  );

describe('an earlier epoch of the same store', () => {
  test('is never put in force, kept or acknowledged, and is shown as a problem until it passes', async () => {
    world.controlPlane.route(model, 7, all(2));
    const { gateway } = await world.start();
    await eventually('epoch 7 is acknowledged', inForce(7));
    const seven = world.controlPlane.state;
    world.controlPlane.route(model, 6, all(1));
    await severalLooks();
    expect(gateway.status().routes).toMatchObject([{ epoch: 7, split: all(2) }]);
    expect(gateway.status().problems).toMatchObject([
      { epoch: 6, message: expect.stringContaining('epoch 7 is in force here and stays') },
    ]);
    expect(acknowledged(6)).toEqual([]);
    expect(await keptEpochs()).toEqual({ [model]: 7 });
    world.controlPlane.state = seven;
    await eventually('the problem has passed', () => gateway.status().problems.length === 0);
  });

  test('is not gone back to by a restart, with the control plane away or set back', async () => {
    world.controlPlane.route(model, 7, all(2));
    const first = await world.start();
    await eventually('epoch 7 is acknowledged', inForce(7));
    await first.gateway.stop();
    world.controlPlane.route(model, 6, all(1));
    const { gateway } = await world.start();
    await severalLooks();
    expect(gateway.status().routes).toMatchObject([{ epoch: 7, split: all(2) }]);
    expect(acknowledged(6)).toEqual([]);
  });
});

test('another route under the epoch in force is refused by an acknowledgement that says so', async () => {
  world.controlPlane.route(model, 7, all(2));
  const { gateway } = await world.start();
  await eventually('epoch 7 is acknowledged', inForce(7));
  world.controlPlane.route(model, 7, all(1));
  const refused = await eventually('the refusal', () => acknowledged(7).find((one) => one.error !== undefined));
  expect(refused.error).toContain('another route under epoch 7');
  expect(gateway.status().routes).toMatchObject([{ epoch: 7, split: all(2) }]);
});

test('a route that takes long to load is overtaken by a later one, and does not come into force when it is done', async () => {
  world.controlPlane.route(model, 1, all(1));
  const { gateway } = await world.start();
  await eventually('epoch 1 is acknowledged', inForce(1));
  const letGo = world.artifacts.hold();
  world.controlPlane.route(model, 2, all(2));
  await eventually('version 2 is being fetched', () => world.artifacts.waiting > 0);
  world.controlPlane.route(model, 3, all(1));
  await eventually('epoch 3 is acknowledged, though version 2 is not there yet', inForce(3));
  letGo();
  await eventually('version 2 is loaded', () => gateway.status().versions.length === 2);
  await severalLooks();
  expect(gateway.status()).toMatchObject({ routes: [{ epoch: 3, split: all(1) }], problems: [] });
  expect(acknowledged(2)).toEqual([]);
  expect(await keptEpochs()).toEqual({ [model]: 3 });
});

test('of many changes in a row the last one comes into force, and every acknowledged one was later than the one before', async () => {
  world.controlPlane.route(model, 1, all(1), { standby: [2] });
  const { gateway } = await world.start();
  await eventually('epoch 1 is acknowledged', inForce(1));
  for (let epoch = 2; epoch <= 40; epoch += 1) {
    world.controlPlane.route(model, epoch, all(1 + (epoch % 2)), { standby: [2 - (epoch % 2)] });
    if (epoch % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('epoch 40 is acknowledged', inForce(40));
  const epochs = world.controlPlane.acknowledgements.map((one) => one.epoch);
  expect(epochs).toEqual([...epochs].sort((left, right) => left - right));
  expect(gateway.status().routes).toMatchObject([{ epoch: 40, split: all(1) }]);
  expect(await keptEpochs()).toEqual({ [model]: 40 });
});

test('models whose routes change together are all kept', async () => {
  const names = ['one', 'two', 'three'];
  for (const name of names) {
    world.controlPlane.state.versions.push(
      ...world.controlPlane.state.versions.slice(0, 2).map((one) => ({ ...one, model: name })),
    );
    world.controlPlane.route(name, 1, all(1), { standby: [2] });
  }
  await world.start();
  for (let epoch = 2; epoch <= 6; epoch += 1) {
    world.controlPlane.routes(
      names.map((name) => ({ model: name, epoch, split: all(1 + (epoch % 2)), standby: [2 - (epoch % 2)] })),
    );
    await eventually(`epoch ${epoch} of all is acknowledged`, () => acknowledged(epoch).length === names.length);
    expect(await keptEpochs()).toEqual({ one: epoch, two: epoch, three: epoch });
  }
});

describe('a restart with the control plane and the object store away', () => {
  const parts = {
    shadows: [{ version: 2, samplePct: 100 }],
    standby: [3],
    overrides: [{ version: 4, keys: ['tester'], headers: [] }],
  };
  beforeEach(async () => {
    await world.addVersion(3, 0.5);
    await world.addVersion(4, 0.25);
    world.controlPlane.route(model, 5, all(1), parts);
    const { gateway } = await world.start();
    await eventually('epoch 5 is acknowledged', inForce(5));
    world.controlPlane.away = true;
    world.artifacts.away = true;
    await gateway.stop();
  });

  test('serves every part of the route from disk', async () => {
    const { gateway } = await world.start();
    expect(gateway.status()).toMatchObject({
      ready: true,
      routes: [{ epoch: 5, shadows: parts.shadows, standby: [3], overrides: [{ version: 4, keys: 1, headers: [] }] }],
      versions: [1, 2, 4, 3].map((version) => ({ version, process: { state: 'ready' } })),
    });
  });

  test('answers even when a shadow on disk is damaged, says so, and has all parts back when the object store is', async () => {
    const shadow = world.controlPlane.state.versions.find((one) => one.version === 2);
    await writeFile(path.join(world.folder, 'home', 'artifacts', `${shadow?.artifactSha256}.onnx`), 'other bytes');
    const { gateway } = await world.start();
    expect(gateway.status()).toMatchObject({
      ready: true,
      routes: [{ epoch: 5, shadows: [], standby: [3] }],
      problems: [{ epoch: 5 }],
    });
    world.controlPlane.away = false;
    await eventually('the gateway says why', () => acknowledged(5).find((one) => one.error?.includes('away')));
    world.artifacts.away = false;
    await eventually('the shadow is back', () => gateway.status().routes[0]?.shadows.length === 1);
    await eventually(
      'the route is acknowledged again',
      () => world.controlPlane.acknowledgements.at(-1)?.error === undefined,
    );
    expect(gateway.status().problems).toEqual([]);
  });
});

test('a file of routes from before routes had parts is read', async () => {
  world.controlPlane.route(model, 5, all(1));
  const first = await world.start();
  await eventually('epoch 5 is acknowledged', inForce(5));
  await first.gateway.stop();
  const file = path.join(world.folder, 'home', 'routes.json');
  const old = JSON.parse(await readFile(file, 'utf8'), (key, value: unknown) =>
    ['shadows', 'standby', 'overrides'].includes(key) ? undefined : value,
  ) as unknown;
  await writeFile(file, JSON.stringify(old));
  world.controlPlane.away = true;
  const { gateway } = await world.start();
  expect(gateway.status()).toMatchObject({
    ready: true,
    routes: [{ epoch: 5, shadows: [], standby: [], overrides: [] }],
  });
});

test('a service that a person ended is out of the gateway and of its disk for good, whatever else is still loading; a later route serves again', async () => {
  world.controlPlane.route(model, 1, all(1));
  const first = await world.start();
  await eventually('epoch 1 is acknowledged', inForce(1));
  const letGo = world.artifacts.hold();
  world.controlPlane.route(model, 2, all(2));
  await eventually('version 2 is being fetched', () => world.artifacts.waiting > 0);
  world.controlPlane.route(model, 3, all(1), { ended: { by: 'ada@local', reason: 'replaced' } });
  await eventually('the end is acknowledged', inForce(3));
  letGo();
  await severalLooks();
  expect(first.gateway.status().routes).toEqual([]);
  expect((await first.gateway.app.inject(`/v2/models/${model}`)).statusCode).toBe(404);
  expect(await keptEpochs()).toEqual({});
  await first.gateway.stop();

  const second = await world.start();
  await severalLooks();
  expect(second.gateway.status().routes).toEqual([]);
  world.controlPlane.route(model, 4, all(2));
  await eventually('epoch 4 is acknowledged', inForce(4));
  expect(second.gateway.status().routes).toMatchObject([{ epoch: 4, split: all(2) }]);
});
