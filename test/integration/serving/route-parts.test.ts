import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import flightDelay from '../../../models/flight-delay/model.js';
import type { ServingRole } from '../../../domain/serving/serving-window.js';
import { eventually } from '../../support/poll-until.js';
import {
  createTestWorld,
  exampleRow,
  expectedProbability,
  inferBody,
  type TestWorld,
} from '../../support/gateway-harness.js';
import { spooledRows } from './spooled-rows.js';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const answerSchema = z.object({
  model_version: z.string(),
  outputs: z.tuple([z.unknown(), z.object({ data: z.array(z.number()) })]),
});

const post = (
  url: string,
  headers: Record<string, string> = {},
  { id, path: rest = '' }: { id?: string; path?: string } = {},
) =>
  fetch(`${url}/v2/models/flight-delay${rest}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(inferBody([exampleRow], id)),
  });

/** Asks once. @returns the version that answered, having checked that the answer is its. */
async function ask(
  url: string,
  ...how: Parameters<typeof post> extends [string, ...infer Rest] ? Rest : never
): Promise<number> {
  const response = await post(url, ...how);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  const { model_version: version, outputs } = answerSchema.parse(await response.json());
  const bias = [NaN, -1, 1, 0.5][Number(version)] ?? NaN;
  expect(outputs[1].data[1]).toBeCloseTo(expectedProbability(bias, exampleRow), 5);
  return Number(version);
}

/** Starts a gateway and waits until its routes are in force. */
async function startReady(...limits: Parameters<TestWorld['start']>): ReturnType<TestWorld['start']> {
  const started = await world.start(...limits);
  await eventually('the gateway is ready', () => started.gateway.status().ready);
  return started;
}

const champion = [{ version: 1, sharePct: 100 }];

/** Requests and errors counted so far. */
function counted(role: ServingRole, version: number): { requests: number; errors: number } {
  const windows = [...world.controlPlane.windows.values()].filter(
    (window) => window.role === role && window.version === version,
  );
  const sum = (field: 'requests' | 'errors') => windows.reduce((total, window) => total + window[field], 0);
  return { requests: sum('requests'), errors: sum('errors') };
}

const lineSchema = z.object({
  prediction_id: z.string(),
  version: z.number(),
  role: z.string(),
  probability: z.number(),
});

async function logged(): Promise<z.infer<typeof lineSchema>[]> {
  const folder = path.join(world.folder, 'home', 'spool', 'predictions', 'flight-delay');
  return (await spooledRows(folder)).map((row) => lineSchema.parse(row));
}

describe('a tester', () => {
  test('gets the version that a key, a header or X-Perdure-Version asks for, counted apart from the split', async () => {
    for (const [version, bias] of [
      [1, -1],
      [2, 1],
      [3, 0.5],
    ] as const)
      await world.addVersion(version, bias);
    world.controlPlane.route('flight-delay', 1, champion, {
      standby: [3],
      overrides: [{ version: 2, keys: ['tester-1'], headers: [{ name: 'X-Team', value: 'delay' }] }],
    });
    const { gateway, url } = await startReady();
    expect(await ask(url)).toBe(1);
    expect(await ask(url, { 'x-perdure-key': 'passenger' })).toBe(1);
    expect(await ask(url, { 'x-perdure-key': 'tester-1' })).toBe(2);
    expect(await ask(url, { 'x-team': 'delay' })).toBe(2);
    expect(await ask(url, { 'x-team': 'other' })).toBe(1);
    expect(await ask(url, { 'x-perdure-version': '3' })).toBe(3);
    expect(await ask(url, { 'x-perdure-version': '3', 'x-perdure-key': 'tester-1' })).toBe(3);
    expect(await ask(url, {}, { path: '/versions/2' })).toBe(2);
    // The request's id makes routing sticky, but only a key that was meant as one makes a tester.
    expect(await ask(url, {}, { id: 'tester-1' })).toBe(1);
    const unknown = await post(url, { 'x-perdure-version': '9' });
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: 'Version 9 of flight-delay is not loaded here. Loaded: 1, 2, 3.' },
    ]);
    const noVersion = await post(url, { 'x-perdure-version': 'latest' });
    expect([noVersion.status, await noVersion.json()]).toEqual([
      400,
      { error: 'The header X-Perdure-Version is "latest". Send the number of a version, for example 2.' },
    ]);
    await eventually(
      'all is counted',
      () => counted('split', 1).requests === 4 && counted('override', 3).requests === 2,
    );
    expect(counted('override', 2)).toEqual({ requests: 3, errors: 0 });
    expect(counted('split', 2)).toEqual({ requests: 0, errors: 0 });
    expect(gateway.status().routes).toMatchObject([
      { standby: [3], overrides: [{ version: 2, keys: 1, headers: ['X-Team'] }] },
    ]);
  });
});

describe('a shadow', () => {
  test('answers a copy of each request, in windows and log of its own, under the id of the request', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1);
    await world.addVersion(3, 0.5);
    world.controlPlane.route('flight-delay', 1, champion, {
      shadows: [
        { version: 2, samplePct: 100 },
        { version: 3, samplePct: 100 },
      ],
    });
    const { gateway, url } = await startReady();
    for (let number = 0; number < 20; number += 1) expect(await ask(url)).toBe(1);
    await ask(url, { 'x-perdure-version': '2' });
    await eventually(
      'copies are counted',
      () => counted('shadow', 2).requests === 20 && counted('shadow', 3).requests === 20,
    );
    expect(counted('shadow', 2)).toEqual({ requests: 20, errors: 0 });
    expect(counted('override', 2)).toEqual({ requests: 1, errors: 0 });
    await gateway.stop();
    const lines = await logged();
    const ids = (role: string, version: number) =>
      lines.filter((line) => line.role === role && line.version === version).map((line) => line.prediction_id);
    const served = ids('split', 1);
    expect(new Set(served).size).toBe(20);
    expect(ids('shadow', 2).sort()).toEqual(served.map((id) => `${id}~v2`).sort());
    expect(ids('shadow', 3).sort()).toEqual(served.map((id) => `${id}~v3`).sort());
    expect(lines.find((line) => line.role === 'shadow' && line.version === 2)?.probability).toBeCloseTo(
      expectedProbability(1, exampleRow),
      5,
    );
  });

  test('samples the same keys at every gateway and in every epoch', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1);
    world.controlPlane.route('flight-delay', 1, champion, { shadows: [{ version: 2, samplePct: 50 }] });
    const { gateway, url } = await startReady();
    const first = await Promise.all(
      Array.from({ length: 40 }, (_, index) => post(url, { 'x-perdure-key': `key-${index}` })),
    );
    world.controlPlane.route('flight-delay', 2, champion, { shadows: [{ version: 2, samplePct: 50 }] });
    await eventually('epoch 2 is in force', () => gateway.status().routes[0]?.epoch === 2);
    const second = await Promise.all(
      Array.from({ length: 40 }, (_, index) => post(url, { 'x-perdure-key': `key-${index}` })),
    );
    const ids = [first, second].map((responses) =>
      responses.map((response) => response.headers.get('x-perdure-prediction-id')),
    );
    await eventually('both samples are logged', async () => {
      const copied = new Set(
        (await logged()).filter((line) => line.role === 'shadow').map((line) => line.prediction_id.split('~')[0]),
      );
      const sampled = ids.map((some) => some.flatMap((id, index) => (copied.has(id ?? '') ? [index] : [])));
      const [one = [], two = []] = sampled;
      return one.length > 8 && one.length < 32 && JSON.stringify(one) === JSON.stringify(two);
    });
  });

  test('that is slow loses copies, counted, and delays no answer and fails none', async () => {
    await world.addVersion(1, -1);
    await world.addVersion(2, 1, { work: 300 });
    world.controlPlane.route('flight-delay', 1, champion, { shadows: [{ version: 2, samplePct: 100 }] });
    const { url } = await startReady({ shadow: { requestsMax: 2, rowsMax: 10 }, engine: { batchRowsMax: 1 } });
    for (let number = 0; number < 60; number += 1) await ask(url);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const copies = (outcome: string) =>
      Number(
        new RegExp(`shadow_copies_total\\{model="flight-delay",version="2",outcome="${outcome}".*\\} (\\d+)`).exec(
          metrics,
        )?.[1] ?? 0,
      );
    expect(copies('dropped')).toBeGreaterThan(0);
    expect(copies('failed')).toBe(0);
    await eventually(
      'copies that fit are counted, dropped ones are not',
      () => counted('shadow', 2).requests === 60 - copies('dropped'),
    );
    expect(counted('shadow', 2).errors).toBe(0);
  });
});

test('a shadow whose own contract refuses a row has failed to answer it, counted apart', async () => {
  const { carrier } = flightDelay.contract.features;
  if (carrier?.type !== 'string') throw new Error('carrier is a string');
  const features = { ...flightDelay.contract.features, carrier: { ...carrier, maxLength: 1 } };
  const definition = { ...flightDelay, contract: { ...flightDelay.contract, features } };
  await world.addVersion(1, -1);
  await world.addVersion(2, 1, { definition });
  world.controlPlane.route('flight-delay', 1, champion, { shadows: [{ version: 2, samplePct: 100 }] });
  const { url } = await startReady();
  for (let number = 0; number < 5; number += 1) expect(await ask(url)).toBe(1);
  await eventually('copies are counted', () => counted('shadow', 2).requests === 5);
  expect(counted('shadow', 2)).toEqual({ requests: 5, errors: 5 });
  expect(counted('split', 1).errors).toBe(0);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/shadow_copies_total\{model="flight-delay",version="2",outcome="refused".*\} 5\n/);
});

test('after a load every version of the model is cold for a while; a process that was started again is not', async () => {
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
  world.controlPlane.route('flight-delay', 1, champion);
  const { gateway, url } = await startReady({ coldStartMs: 2_000 });
  const windows = (cold: boolean, epoch: number, version: number) =>
    [...world.controlPlane.windows.values()].filter(
      (one) => one.cold === cold && one.epoch === epoch && one.version === version,
    );
  const asked = (what: string, done: () => boolean) =>
    eventually(what, async () => {
      await Promise.all(Array.from({ length: 8 }, () => ask(url)));
      return done();
    });
  await asked(
    'version 1 was cold and is warm',
    () => windows(true, 1, 1).length > 0 && windows(false, 1, 1).length > 0,
  );
  world.controlPlane.route('flight-delay', 2, [
    { version: 1, sharePct: 50 },
    { version: 2, sharePct: 50 },
  ]);
  await asked('both were cold and are warm', () =>
    [1, 2].every((version) => windows(true, 2, version).length > 0 && windows(false, 2, version).length > 0),
  );
  const cold = [1, 2].map((version) => windows(true, 2, version).length);
  const victim = gateway.status().versions.find((one) => one.version === 2)?.process;
  process.kill(victim?.processId ?? 0, 'SIGKILL');
  await eventually(
    'the process was started again',
    () => (gateway.status().versions.find((one) => one.version === 2)?.process?.restarts ?? 0) > 0,
  );
  const warm = windows(false, 2, 2).length;
  await asked('version 2 answers again', () => windows(false, 2, 2).length > warm + 1);
  expect([1, 2].map((version) => windows(true, 2, version).length)).toEqual(cold);
});

test('a route is acknowledged once all of its versions are loaded, and a version that stands by answers at once', async () => {
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
  world.controlPlane.route('flight-delay', 1, champion, { standby: [2] });
  const { gateway, url } = await startReady({ unloadAfterMs: 50 });
  await eventually('epoch 1 is acknowledged', () => world.controlPlane.acknowledgements.length === 1);
  expect(gateway.status().versions.map((one) => [one.version, one.process?.state])).toEqual([
    [1, 'ready'],
    [2, 'ready'],
  ]);
  const loadedAt = gateway.status().versions[1]?.loadedAt;
  world.controlPlane.route('flight-delay', 2, [{ version: 2, sharePct: 100 }], { standby: [1] });
  await eventually('epoch 2 is acknowledged', () => world.controlPlane.acknowledgements.some((one) => one.epoch === 2));
  expect(await ask(url)).toBe(2);
  expect(gateway.status().versions[1]?.loadedAt).toBe(loadedAt);
  world.controlPlane.route('flight-delay', 3, champion);
  await eventually(
    'version 2 is let go when no part of the route names it',
    () => gateway.status().versions.length === 1,
  );
  expect(await ask(url)).toBe(1);
});
