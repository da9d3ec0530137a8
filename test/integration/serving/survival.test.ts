import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Gateway } from '../../../serving/gateway.js';
import { eventually } from '../../support/poll-until.js';
import {
  createTestWorld,
  exampleRow,
  expectedProbability,
  inferBody,
  type TestWorld,
} from '../../support/gateway-harness.js';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const answerSchema = z.object({
  model_version: z.string(),
  outputs: z.tuple([z.unknown(), z.object({ data: z.array(z.number()) })]),
});
const bias = new Map([
  [1, -1],
  [2, 1],
]);

interface Load {
  /** Answers by version so far. */
  answered: Map<number, number>;
  failures: string[];
  stop: () => Promise<void>;
}

/** Callers that ask one after another, each answer checked against the model's formula. */
function startLoad(url: string, callers = 16): Load {
  let running = true;
  const answered = new Map<number, number>();
  const failures: string[] = [];
  let number = 0;
  const ask = async () => {
    while (running) {
      number += 1;
      const row = { ...exampleRow, dep_delay: number % 300 };
      try {
        const response = await fetch(`${url}/v2/models/flight-delay/infer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(inferBody([row], `request-${number}`)),
        });
        if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
        const { model_version: version, outputs } = answerSchema.parse(await response.json());
        const expected = expectedProbability(bias.get(Number(version)) ?? NaN, row);
        if (Math.abs((outputs[1].data[1] ?? NaN) - expected) > 1e-5)
          throw new Error(`version ${version} answered ${outputs[1].data[1]} instead of ${expected}`);
        answered.set(Number(version), (answered.get(Number(version)) ?? 0) + 1);
      } catch (error) {
        failures.push(
          error instanceof Error
            ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
            : String(error),
        );
      }
    }
  };
  const callersDone = Promise.all(Array.from({ length: callers }, ask));
  return {
    answered,
    failures,
    stop: async () => {
      running = false;
      await callersDone;
    },
  };
}

const sum = (counts: Map<number, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
const readyPid = (processes: { state: string; processId: number | undefined }[]) =>
  processes.find((one) => one.state === 'ready')?.processId;

test('kill -9 of a model process under load costs no request', async () => {
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const { gateway, url } = await world.start();
  const load = startLoad(url);
  const processes = () => gateway.status().versions.flatMap((version) => version.process ?? []);
  for (let kill = 0; kill < 4; kill += 1) {
    const before = sum(load.answered);
    await eventually('answers flow', () => sum(load.answered) > before + 200);
    const victim = await eventually('a process is ready', () => readyPid(processes()));
    process.kill(victim, 'SIGKILL');
    await eventually('another process is ready', () => (readyPid(processes()) ?? victim) !== victim);
  }
  const before = sum(load.answered);
  await eventually('answers flow again', () => sum(load.answered) > before + 200);
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('a hung model process is replaced, and what it held is answered', async () => {
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const { gateway, url } = await world.start({ engine: { hangMs: 500 } });
  const load = startLoad(url, 4);
  await eventually('answers flow', () => sum(load.answered) > 20);
  const victim = await eventually('a process is ready', () =>
    readyPid(gateway.status().versions.flatMap((version) => version.process ?? [])),
  );
  process.kill(victim, 'SIGSTOP');
  const before = sum(load.answered);
  await eventually('answers flow again', () => sum(load.answered) > before + 100);
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('a canary is loaded, grown and finished under load without a failed request, and every answer is its version’s', async () => {
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const { gateway, url } = await world.start({ unloadAfterMs: 200 });
  await world.addVersion(2, 1);
  const load = startLoad(url);
  await eventually('version 1 answers', () => (load.answered.get(1) ?? 0) > 100);
  for (const [index, sharePct] of [5, 25, 100].entries()) {
    const epoch = index + 2;
    world.controlPlane.route('flight-delay', epoch, [
      ...(sharePct < 100 ? [{ version: 1, sharePct: 100 - sharePct }] : []),
      { version: 2, sharePct },
    ]);
    await eventually(`epoch ${epoch} is acknowledged`, () =>
      world.controlPlane.acknowledgements.some((one) => one.epoch === epoch && one.error === undefined),
    );
    const before = load.answered.get(2) ?? 0;
    await eventually('version 2 answers', () => (load.answered.get(2) ?? 0) > before + 20);
  }
  await eventually('version 1 is unloaded', () => gateway.status().versions.every((version) => version.version === 2));
  const before = sum(load.answered);
  await eventually('answers flow', () => sum(load.answered) > before + 100);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(world.controlPlane.acknowledgements.map((one) => one.epoch)).toEqual([1, 2, 3, 4]);
});

describe('with the control plane and the object store away', () => {
  test('the gateway answers, also after its own restart, and follows again by itself when they are back', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const first = await world.start();
    await eventually('epoch 1 is acknowledged', () => world.controlPlane.acknowledgements.length === 1);
    world.controlPlane.away = true;
    world.artifacts.away = true;
    await first.gateway.stop();

    const { gateway, url } = await world.start();
    expect(gateway.status()).toMatchObject({ ready: true, routes: [{ epoch: 1 }] });
    const load = startLoad(url, 4);
    await eventually('answers flow', () => sum(load.answered) > 50);

    await world.addVersion(2, 1);
    world.controlPlane.route('flight-delay', 2, [{ version: 2, sharePct: 100 }]);
    world.controlPlane.away = false;
    await eventually('the new route is refused for want of its artifact', () =>
      world.controlPlane.acknowledgements.find((one) => one.epoch === 2)?.error?.includes('away'),
    );
    expect(gateway.status()).toMatchObject({ routes: [{ epoch: 1 }], problems: [{ epoch: 2 }] });
    world.artifacts.away = false;
    await eventually('version 2 answers', () => (load.answered.get(2) ?? 0) > 20);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(world.controlPlane.acknowledgements.at(-1)).toEqual({ model: 'flight-delay', epoch: 2, storeId: 'store-1' });
  });

  test('counts are kept until they are taken', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { url } = await world.start();
    world.controlPlane.away = true;
    const load = startLoad(url, 4);
    await eventually('answers flow', () => sum(load.answered) > 100);
    await load.stop();
    world.controlPlane.away = false;
    const counted = () =>
      [...world.controlPlane.windows.values()].reduce((total, window) => total + window.requests, 0);
    await eventually('all are counted', () => counted() === sum(load.answered));
  });
});

describe('a route that cannot be served', () => {
  test.each<[string, (artifact: string) => Promise<void>, RegExp]>([
    [
      'its artifact is not the registered one',
      (artifact) => writeFile(artifact, 'other bytes'),
      /has SHA-256 \w+, expected/,
    ],
    ['its artifact is gone', (artifact) => rm(artifact), /ENOENT/],
  ])('because %s leaves the old one in force and says why', async (_, harm, message) => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { gateway, url } = await world.start();
    const { artifactKey } = await world.addVersion(2, 1);
    const artifact = path.join(world.artifacts.folder, artifactKey);
    const good = await readFile(artifact);
    await harm(artifact);
    world.controlPlane.route('flight-delay', 2, [
      { version: 1, sharePct: 50 },
      { version: 2, sharePct: 50 },
    ]);
    const refused = await eventually('the refusal is acknowledged', () =>
      world.controlPlane.acknowledgements.find((one) => one.epoch === 2),
    );
    expect(refused.error).toMatch(message);
    expect(gateway.status().routes).toMatchObject([{ epoch: 1 }]);
    const load = startLoad(url, 2);
    await eventually('version 1 answers', () => (load.answered.get(1) ?? 0) > 20);
    expect(load.answered.get(2)).toBeUndefined();
    await writeFile(artifact, good);
    await eventually('version 2 answers once its artifact is whole', () => (load.answered.get(2) ?? 0) > 5);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  test('because its epoch is older is never put in force', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1);
    world.controlPlane.route('flight-delay', 7, [{ version: 2, sharePct: 100 }]);
    const { gateway } = await world.start();
    world.controlPlane.route('flight-delay', 6, [{ version: 1, sharePct: 100 }]);
    const before = world.controlPlane.heartbeats;
    await eventually('several looks', () => world.controlPlane.heartbeats > before + 5);
    expect(gateway.status().routes).toMatchObject([{ epoch: 7 }]);
  });

  test('stays when another store has no routes at all, as after a database that lost its rows', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 7, [{ version: 1, sharePct: 100 }]);
    const { gateway } = await world.start();
    world.controlPlane.state = { storeId: 'store-2', routes: [], versions: [] };
    const before = world.controlPlane.heartbeats;
    await eventually('several looks', () => world.controlPlane.heartbeats > before + 5);
    expect(gateway.status()).toMatchObject({
      routes: [{ epoch: 7 }],
      unconfirmed: [{ model: 'flight-delay', storeId: 'store-1' }],
    });
  });

  test('stays when another store comes back with fewer models, says so, restarts included, and goes when a person lets it go', async () => {
    const another = (name: string) => parseModelDefinition({ ...flightDelay, name });
    await world.addVersion(1, -1);
    await world.addVersion(1, -1, { definition: another('repeat-purchase') });
    await world.addVersion(1, -1, { definition: another('left-alone') });
    for (const model of ['flight-delay', 'repeat-purchase', 'left-alone'])
      world.controlPlane.route(model, 7, [{ version: 1, sharePct: 100 }]);
    const first = await world.start();
    await eventually('all are served', () => first.gateway.status().routes.length === 3);
    world.controlPlane.state = { storeId: 'store-2', routes: [], versions: [] };
    await world.addVersion(1, 1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const kept = ({ gateway }: { gateway: Gateway }) =>
      gateway
        .status()
        .unconfirmed.map(({ model }) => model)
        .toSorted();
    const ask = async ({ url }: { url: string }, model: string) =>
      (
        await fetch(`${url}/v2/models/${model}/infer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(inferBody([exampleRow])),
        })
      ).status;
    const both = ['left-alone', 'repeat-purchase'];
    await eventually('it is seen', () => kept(first).length === 2);
    expect(kept(first)).toEqual(both);
    for (const model of both) expect(await ask(first, model)).toBe(200);
    expect(await (await fetch(`${first.url}/v2/health/ready`)).json()).toMatchObject({
      ready: true,
      notInStore: expect.arrayContaining(both),
    });
    expect(await (await fetch(`${first.url}/metrics`)).text()).toMatch(/routes_unconfirmed\{.*\} 2/);
    const events = () => [...world.controlPlane.events.values()].map(({ kind, model }) => `${kind} ${model}`);
    await eventually('it is told', () => both.every((model) => events().includes(`not-in-store ${model}`)));
    await first.gateway.stop();

    const second = await world.start();
    await eventually(
      'the restarted one keeps them too',
      () => kept(second).length === 2 && second.gateway.status().routes.length === 3,
    );
    for (const model of both) expect(await ask(second, model)).toBe(200);
    world.controlPlane.state.released = ['repeat-purchase', 'flight-delay'];
    await eventually('one is let go', () => kept(second).length === 1);
    expect([
      await ask(second, 'repeat-purchase'),
      await ask(second, 'left-alone'),
      await ask(second, 'flight-delay'),
    ]).toEqual([404, 200, 200]);
    await second.gateway.stop();
    world.controlPlane.state.released = [];
    const third = await world.start();
    await eventually('what was let go does not come back', () => third.gateway.status().routes.length === 2);
    expect(kept(third)).toEqual(['left-alone']);
  });

  test('of another store replaces all, whatever its epoch', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 7, [{ version: 1, sharePct: 100 }]);
    const { gateway, url } = await world.start();
    world.controlPlane.state = { storeId: 'store-2', routes: [], versions: [] };
    await world.addVersion(1, 1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    await eventually(
      'the other store’s route is in force',
      () => gateway.status().storeId === 'store-2' && gateway.status().routes[0]?.epoch === 1,
    );
    const response = await fetch(`${url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inferBody([exampleRow])),
    });
    expect(answerSchema.parse(await response.json()).outputs[1].data[1]).toBeCloseTo(
      expectedProbability(1, exampleRow),
      6,
    );
  });
});

/** A slow model takes its time to load, too: longer than a start waits for it on a busy machine. */
const untilServed = ({ status }: Gateway) => eventually('its route is in force', () => status().routes.length > 0);

describe('overload', () => {
  const ask = (url: string) =>
    fetch(`${url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inferBody([exampleRow])),
    });

  test('is answered with 503 and Retry-After, counted as errors, and passes', async () => {
    await world.addVersion(1, -1, { work: 100 });
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { gateway, url } = await world.start({ engine: { requestsMax: 2, batchRowsMax: 1 } });
    await untilServed(gateway);
    const responses = await Promise.all(Array.from({ length: 12 }, () => ask(url)));
    const refused = responses.filter((response) => response.status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(responses.filter((response) => response.status === 200).length).toBe(12 - refused.length);
    for (const response of refused) expect(response.headers.get('retry-after')).toBe('1');
    expect((await ask(url)).status).toBe(200);
    const errors = () => [...world.controlPlane.windows.values()].reduce((total, window) => total + window.errors, 0);
    await eventually('refusals are counted as errors', () => errors() === refused.length);
  });

  test('that outlasts the deadline is answered with 504', async () => {
    await world.addVersion(1, -1, { work: 300 });
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { gateway, url } = await world.start({ engine: { deadlineMs: 150, batchRowsMax: 1 } });
    await untilServed(gateway);
    const responses = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    expect(responses.map((response) => response.status)).toContain(504);
  });
});

test('a gateway told to stop answers what it has taken and keeps its log', async () => {
  await world.addVersion(1, -1, { work: 200 });
  world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  const { gateway, url } = await world.start();
  await untilServed(gateway);
  const asked = Array.from({ length: 4 }, () =>
    fetch(`${url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inferBody([exampleRow])),
    }),
  );
  await eventually(
    'a request is under way',
    () => gateway.app.server.listening && gateway.status().versions[0]?.process?.queuedRequests !== undefined,
  );
  await new Promise((resolve) => setImmediate(resolve));
  const connected = await eventually(
    'connections are open',
    () =>
      new Promise<number | false>((resolve) =>
        gateway.app.server.getConnections((_, count) => resolve(count === 4 && count)),
      ),
  );
  expect(connected).toBe(4);
  await gateway.stop();
  expect((await Promise.all(asked)).map((response) => response.status)).toEqual([200, 200, 200, 200]);
  expect(world.controlPlane.forgotten).toBe(1);
  expect(gateway.status().spool.predictions).toMatchObject({ segments: 1 });
});
