import { readdir, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { PerdureError } from '../../../domain/errors.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import type { Gateway } from '../../../serving/gateway.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld, type Trap } from '../../support/gateway-harness.js';
import { spooledRows } from './spooled-rows.js';

// Each test starts processes by the dozen and kills them: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 240_000 });

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const answerSchema = z.object({ model_version: z.string() });
const other = parseModelDefinition({ ...flightDelay, name: 'other-model' });
const harmless = { ...exampleRow, dep_delay: 10 };
const deadly = { ...exampleRow, dep_delay: 1000 };
const quick = { hangMs: 400, deathsMax: 3, deathWindowMs: 60_000, coolDownMs: 60_000 };

/** A gateway that serves every route. */
async function start(limits: Parameters<TestWorld['start']>[0]): ReturnType<TestWorld['start']> {
  const started = await world.start(limits);
  await eventually(
    'every route is served',
    () => started.gateway.status().routes.length === world.controlPlane.state.routes.length,
  );
  return started;
}

/** The version that answered, or the status and the message. */
async function ask(
  url: string,
  row: typeof exampleRow,
  { model = 'flight-delay', id = '', version = 0 } = {},
): Promise<string> {
  const path = version > 0 ? `${model}/versions/${version}` : model;
  const response = await fetch(`${url}/v2/models/${path}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(inferBody([row], id || undefined)),
  });
  const text = await response.text();
  return response.status === 200
    ? `${model}@${answerSchema.parse(JSON.parse(text)).model_version}`
    : `${response.status} ${text}`;
}

const stateOf = (gateway: Gateway, version: number) =>
  gateway.status().versions.find((one) => one.version === version && one.model === 'flight-delay')?.process?.state;
const eventsOf = () =>
  [...world.controlPlane.events.values()].map(({ model, version, kind }) => `${model}@${version} ${kind}`);
const failuresOf = (version: number) =>
  [...world.controlPlane.windows.values()]
    .filter((one) => one.version === version && one.role === 'split')
    .reduce((sum, one) => sum + one.errors, 0);

/** Sends deadly rows until the version is out of service. */
async function wearOut(gateway: Gateway, url: string, version: number): Promise<string[]> {
  const answers: string[] = [];
  await eventually(`version ${version} is out of service`, async () => {
    if (stateOf(gateway, version) === 'out-of-service') return true;
    answers.push(await ask(url, deadly, { version }));
    return undefined;
  });
  return answers;
}

describe.each<{ kind: Trap['kind']; hangMs: number; says: RegExp }>([
  { kind: 'hang', hangMs: 400, says: /did not answer within 0\.4 s/ },
  { kind: 'memory', hangMs: 30_000, says: /MiB of memory, over the limit of 400 MiB/ },
])('a model with the trap $kind', ({ kind, hangMs, says }) => {
  test('is taken out of service, the champion answers for it, and no other model is touched', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1, { trap: { kind, limit: 900 } });
    await world.addVersion(1, 0, { definition: other });
    world.controlPlane.route('flight-delay', 1, [
      { version: 1, sharePct: 50 },
      { version: 2, sharePct: 50 },
    ]);
    world.controlPlane.route('other-model', 1, [{ version: 1, sharePct: 100 }]);
    const { gateway, url } = await start({ engine: { ...quick, hangMs, residentMaxMb: 400, deadlineMs: 60_000 } });
    const others: string[] = [];
    let running = true;
    const neighbour = (async () => {
      while (running) others.push(await ask(url, harmless, { model: 'other-model' }).catch(String));
    })();
    const pids = () =>
      gateway
        .status()
        .versions.filter((one) => one.process?.state === 'ready')
        .map((one) => `${one.model}@${one.version} ${one.process?.processId}`);
    const before = pids();

    const answers = await wearOut(gateway, url, 2);
    expect(answers[0]).toMatch(/^500 .*ended twice while answering this request/);
    expect(answers[0]).toMatch(says);

    const byId = await Promise.all(
      Array.from({ length: 40 }, (_, number) => ask(url, harmless, { id: `request-${number}` })),
    );
    expect(new Set(byId)).toEqual(new Set(['flight-delay@1']));
    const spool = path.join(world.folder, 'home/spool/predictions/flight-delay');
    await eventually('the log says that the champion stood in', async () => {
      const rows = await spooledRows(spool);
      return rows.some((row) => row['version'] === 1 && row['epoch'] === 1 && row['chosen_by'] === 'stand-in');
    });
    expect(await ask(url, harmless, { version: 2 })).toMatch(
      /^503 .*flight-delay@2 is out of service here: its process ended 3 times/,
    );
    const readiness = (path: string) =>
      fetch(`${url}/v2/models/flight-delay${path}/ready`).then((response) => response.status);
    expect(await Promise.all(['', '/versions/1', '/versions/2'].map(readiness))).toEqual([200, 200, 503]);
    const index = await fetch(`${url}/v2/repository/index`, { method: 'POST' }).then((response) => response.json());
    expect(index).toContainEqual({
      name: 'flight-delay',
      version: '2',
      state: 'UNAVAILABLE',
      reason: expect.stringMatching(says),
    });
    await eventually('its failures are counted', () => failuresOf(2) > 0);
    expect(failuresOf(1)).toBe(0);
    running = false;
    await neighbour;
    expect(others.length).toBeGreaterThan(5);
    expect(new Set(others)).toEqual(new Set(['other-model@1']));
    expect(pids()).toEqual(before.filter((one) => !one.startsWith('flight-delay@2')));
    await eventually('the event is told', () => eventsOf().length > 0);
    expect(eventsOf()).toEqual(['flight-delay@2 out-of-service']);
    expect([...world.controlPlane.events.values()][0]?.message).toMatch(says);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /perdure_gateway_events_total\{.*kind="out-of-service".*\} 1/,
    );
  });
});

describe('out of service', () => {
  test('ends after its cool-down when the model answers again, and at once with a new route', async () => {
    await world.addVersion(2, 1, { trap: { kind: 'hang', limit: 900 } });
    world.controlPlane.route('flight-delay', 1, [{ version: 2, sharePct: 100 }]);
    const { gateway, url } = await start({ engine: { ...quick, coolDownMs: 300, deathWindowMs: 30_000 } });
    await wearOut(gateway, url, 2);
    await eventually('it answers again', async () => (await ask(url, harmless)) === 'flight-delay@2');
    await eventually('both events are told', () => eventsOf().length === 2);
    expect(eventsOf()).toEqual(['flight-delay@2 out-of-service', 'flight-delay@2 back-in-service']);
  });

  test('of the only version of a route is 503 with a reason; a new route tries it at once, an event is kept while Postgres is away', async () => {
    await world.addVersion(2, 1, { trap: { kind: 'hang', limit: 900 } });
    world.controlPlane.route('flight-delay', 1, [{ version: 2, sharePct: 100 }]);
    const { gateway, url } = await start({ engine: quick });
    world.controlPlane.away = true;
    await wearOut(gateway, url, 2);
    expect(await ask(url, harmless)).toMatch(/^503 .*no other version of its route can answer/);
    expect(eventsOf()).toEqual([]);
    world.controlPlane.away = false;
    world.controlPlane.loseAnswers = true;
    await eventually('the event arrives', () => eventsOf().length > 0);
    world.controlPlane.loseAnswers = false;
    world.controlPlane.route('flight-delay', 2, [{ version: 2, sharePct: 100 }]);
    await eventually('epoch 2 is acknowledged', () =>
      world.controlPlane.acknowledgements.some((one) => one.epoch === 2 && one.error === undefined),
    );
    expect(await ask(url, harmless)).toBe('flight-delay@2');
    await eventually('the second event arrives', () => eventsOf().length === 2);
    expect(eventsOf()).toEqual(['flight-delay@2 out-of-service', 'flight-delay@2 back-in-service']);
  });

  test('requests that wait while it happens are answered by the champion', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1, { trap: { kind: 'hang', limit: 900 } });
    world.controlPlane.route('flight-delay', 1, [
      { version: 1, sharePct: 60 },
      { version: 2, sharePct: 40 },
    ]);
    const { gateway, url } = await start({ engine: { ...quick, hangMs: 800, deathsMax: 1 } });
    const killing = ask(url, deadly, { version: 2 });
    await eventually('the deadly request is under way', () => gateway.status().versions.length === 2);
    const waiting = await Promise.all(
      Array.from({ length: 40 }, (_, number) => ask(url, harmless, { id: `request-${number}` })),
    );
    expect(waiting.filter((answer) => !/^flight-delay@[12]$/.test(answer))).toEqual([]);
    await killing;
  });
});

describe('a model file', () => {
  test('that was replaced in the object store is refused with an event, and the route in force stays', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { url } = await start({});
    const { artifactKey } = await world.addVersion(2, 1);
    await writeFile(path.join(world.artifacts.folder, artifactKey), 'another file');
    world.controlPlane.route('flight-delay', 2, [{ version: 2, sharePct: 100 }]);
    await eventually('the event is told', () => eventsOf().length > 0);
    expect([...world.controlPlane.events.values()][0]).toMatchObject({
      ...{ model: 'flight-delay', version: 2, kind: 'refused' },
      message: expect.stringContaining(`Object ${artifactKey} has SHA-256`) as string,
    });
    expect(await ask(url, harmless)).toBe('flight-delay@1');
  });

  test('with a definition that cannot be read is refused with an event', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    world.controlPlane.definitionByDigest = () =>
      Promise.reject(new PerdureError('definition/invalid', 'The definition of model flight-delay is not valid.'));
    await world.start();
    await eventually('the event is told', () => eventsOf().length > 0);
    expect(eventsOf()).toEqual(['flight-delay@1 refused']);
  });

  test('that never finishes loading is refused with an event, and the route in force stays', async () => {
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
    const { url } = await start({ engine: { loadTimeoutMs: 4_000 } });
    await world.addVersion(2, 1, { trap: { kind: 'hang', limit: -10_000 } });
    world.controlPlane.route('flight-delay', 2, [{ version: 2, sharePct: 100 }]);
    await eventually('the event is told', () => eventsOf().length > 0);
    expect([...world.controlPlane.events.values()][0]).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('longer than 4 s to load') as string,
    });
    expect(await ask(url, harmless)).toBe('flight-delay@1');
  });

  test.skipIf(process.platform !== 'linux')(
    'runs in a process of its own, in an empty folder, with nothing of the gateway in its environment',
    async () => {
      await world.addVersion(1, -1);
      world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
      const { gateway } = await start({});
      const pid = gateway.status().versions[0]?.process?.processId ?? 0;
      expect(await readdir(await readlink(`/proc/${pid}/cwd`))).toEqual([]);
      expect(pid).not.toBe(process.pid);
    },
  );
});
