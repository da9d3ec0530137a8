import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Contract } from '../../../domain/data/contract.js';
import { judgeStage } from '../../../domain/rollout/judge/judge.js';
import { judgePolicySchema } from '../../../domain/rollout/judge/judge-policy.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import { addWindows } from '../../../domain/serving/serving-totals.js';
import type { ServingRole } from '../../../domain/serving/serving-window.js';
import flightDelay from '../../../models/flight-delay/model.js';
import type { ModelInferRequest } from '../../../serving/grpc/generated/open_inference_grpc.js';
import { noContents } from '../../../serving/grpc/infer-message.js';
import { championContract, contractChanges } from './contract-changes.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, type TestWorld } from '../../support/gateway-harness.js';
import { spooledRows } from './spooled-rows.js';
import { GrpcClient } from './grpc-client.js';
import { expectedScore, tinyModel, type Fault, type Row } from './tiny-model.js';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const biases = [NaN, -0.5, 0.25];
const row: Row = { amount: 50, colour: 'red', note: 'n' };
const withSize =
  contractChanges.find(({ name }) => name === 'a feature is added with a default')?.challenger ?? championContract;
const mustSend =
  contractChanges.find(({ name }) => name === 'a feature is added that must be sent')?.challenger ?? championContract;

function definitionOf(contract: Contract): ModelDefinition {
  return parseModelDefinition({
    ...flightDelay,
    ...{ name: 'shop', contract, monitoring: {} },
    evaluation: { ...flightDelay.evaluation, slices: [], gates: [{ name: 'auc', metric: 'rocAuc', atLeast: 0.5 }] },
  });
}

const add = (version: number, contract: Contract, more: { fault?: Fault; threshold?: number } = {}) =>
  world.addVersion(version, 0, {
    ...more,
    definition: definitionOf(contract),
    bytes: tinyModel(contract, biases[version] ?? 0, more.fault),
  });

async function start(): ReturnType<TestWorld['start']> {
  const started = await world.start({ coldStartMs: 0 });
  await eventually('the route is in force', () => started.gateway.status().routes.length > 0);
  return started;
}

const answerSchema = z.object({
  model_version: z.string(),
  outputs: z.tuple([z.object({ data: z.array(z.number()) }), z.object({ data: z.array(z.number()) })]),
});

async function ask(
  url: string,
  rows: readonly Row[],
  { headers = {}, path: rest = '' }: { headers?: Record<string, string>; path?: string } = {},
) {
  const names = Object.keys(rows[0] ?? {});
  const inputs = names.map((name) => {
    const data = rows.map((one) => one[name] ?? null);
    return {
      name,
      data,
      shape: [rows.length, 1],
      datatype: data.some((value) => typeof value === 'number') ? 'FP32' : 'BYTES',
    };
  });
  const response = await fetch(`${url}/v2/models/shop${rest}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ inputs }),
  });
  const text = await response.text();
  const answer = response.status === 200 ? answerSchema.parse(JSON.parse(text)) : undefined;
  return {
    status: response.status,
    text,
    id: response.headers.get('x-perdure-prediction-id') ?? '',
    version: Number(answer?.model_version ?? 0),
    labels: answer?.outputs[0].data ?? [],
    scores: (answer?.outputs[1].data ?? []).filter((_score, index) => index % 2 === 1),
  };
}

const windowsOf = (role: ServingRole, version: number) =>
  [...world.controlPlane.windows.values()].filter((one) => one.role === role && one.version === version);
const totals = (role: ServingRole, version: number) => addWindows(windowsOf(role, version));
const halves = [
  { version: 1, sharePct: 50 },
  { version: 2, sharePct: 50 },
];

/** One row's tensors in the order of its names, as gRPC has them; raw where `raw` is true. */
function message(sent: Row, raw: boolean): ModelInferRequest {
  const entries = Object.entries(sent);
  const bytesOf = (value: number | string | null) => {
    if (typeof value === 'number') return Buffer.from(Float32Array.of(value).buffer);
    const text = Buffer.from(value ?? '');
    return Buffer.concat([Buffer.from(Uint32Array.of(text.length).buffer), text]);
  };
  const inputs = entries.map(([name, value]) => ({
    ...{ name, shape: [1, 1], parameters: {}, datatype: typeof value === 'number' ? 'FP32' : 'BYTES' },
    contents: raw
      ? undefined
      : typeof value === 'number'
        ? { ...noContents, fp32Contents: [value] }
        : { ...noContents, bytesContents: [Buffer.from(value ?? '')] },
  }));
  const rawInputContents = raw ? entries.map(([, value]) => bytesOf(value)) : [];
  return { modelName: 'shop', modelVersion: '', id: '', parameters: {}, inputs, outputs: [], rawInputContents };
}

describe('a canary with one feature more', () => {
  test('answers old and new callers over REST and gRPC, in JSON, typed and raw, one row and many, each version by what it knows', async () => {
    await add(1, championContract);
    await add(2, withSize);
    world.controlPlane.route('shop', 1, halves);
    const { url, grpcAddress } = await start();
    const grpc = new GrpcClient(grpcAddress);
    const rows = [row, { ...row, size: 20 }];
    const contracts = [championContract, championContract, withSize];
    const expected = (version: number, sent: Row) =>
      expectedScore(contracts[version] ?? championContract, biases[version] ?? NaN, sent);
    const seen = new Set<string>();
    await eventually('every way was answered by both versions', async () => {
      for (const [kind, sent] of rows.entries()) {
        const rest = await ask(url, [sent]);
        expect([rest.status, rest.text]).toEqual([200, expect.any(String)]);
        expect(rest.scores[0]).toBeCloseTo(expected(rest.version, sent), 5);
        const many = await ask(
          url,
          Array.from({ length: 5 }, (_one, index) => ({ ...sent, amount: index })),
        );
        many.scores.forEach((score, index) =>
          expect(score).toBeCloseTo(expected(many.version, { ...sent, amount: index }), 5),
        );
        const [typed, raw] = await Promise.all([false, true].map((isRaw) => grpc.infer(message(sent, isRaw))));
        const typedVersion = Number(typed?.response.modelVersion);
        expect(typed?.response.outputs[1]?.contents?.fp32Contents[1]).toBeCloseTo(expected(typedVersion, sent), 5);
        const rawVersion = Number(raw?.response.modelVersion);
        expect(raw?.response.rawOutputContents[1]?.readFloatLE(4)).toBeCloseTo(expected(rawVersion, sent), 5);
        for (const [way, version] of Object.entries({
          rest: rest.version,
          many: many.version,
          typed: typedVersion,
          raw: rawVersion,
        }))
          seen.add(`${kind} ${way} ${version}`);
      }
      return seen.size === 2 * 4 * 2;
    });
    grpc.close();
    await eventually('all is counted', () => totals('split', 2).requests > 0);
    expect([1, 2].map((version) => totals('split', version).errors)).toEqual([0, 0]);
  });

  test('tells in its metadata all that the route takes, and of a version what that takes', async () => {
    await add(1, championContract);
    await add(2, withSize);
    world.controlPlane.route('shop', 1, halves);
    const { url } = await start();
    const inputs = async (rest: string) => {
      const body: unknown = await (await fetch(`${url}/v2/models/shop${rest}`)).json();
      return z
        .object({ inputs: z.array(z.object({ name: z.string() })) })
        .parse(body)
        .inputs.map(({ name }) => name);
    };
    expect(await inputs('')).toEqual(['amount', 'colour', 'note', 'size']);
    expect(await inputs('/versions/1')).toEqual(['amount', 'colour', 'note']);
    expect(await inputs('/versions/2')).toEqual(['amount', 'colour', 'note', 'size']);
  });

  test('refuses nonsense in the new feature and names that nobody knows, whatever the draw, and counts them for no version', async () => {
    await add(1, championContract);
    await add(2, withSize);
    world.controlPlane.route('shop', 1, halves);
    const { url } = await start();
    for (let number = 0; number < 12; number += 1) {
      const nonsense = await ask(url, [{ ...row, size: 'large' }]);
      expect([nonsense.status, nonsense.text]).toEqual([400, expect.stringContaining('Feature size is a number')]);
      const unknown = await ask(url, [{ ...row, sise: 3 }]);
      expect([unknown.status, unknown.text]).toEqual([
        400,
        expect.stringContaining('\\"sise\\" is not a feature of this model'),
      ]);
      const outside = await ask(url, [{ ...row, amount: 5000 }]);
      expect([outside.status, outside.text]).toEqual([400, expect.stringContaining('amount, row 0: 5000 is outside')]);
    }
    await ask(url, [row]);
    await eventually('an answer is counted', () => totals('split', 1).requests + totals('split', 2).requests === 1);
    expect([1, 2].map((version) => totals('split', version).errors)).toEqual([0, 0]);
  });
});

describe('a challenger that refuses what the champion takes', () => {
  test('fails the first look of the judge, is told as an event without what the caller sent, and every caller is answered by the champion', async () => {
    await add(1, championContract);
    await add(2, mustSend);
    world.controlPlane.route('shop', 1, halves);
    const { url } = await start();
    const answers = [];
    for (let number = 0; number < 100; number += 1) answers.push(await ask(url, [row]));
    expect(new Set(answers.map(({ status, version }) => `${status} by ${version}`))).toEqual(new Set(['200 by 1']));
    await eventually('all is counted', () => totals('split', 1).requests + totals('split', 2).requests === 100);
    const observed = (version: number) => ({ ...totals('split', version), samples: {} });
    const judged = judgeStage({
      policy: judgePolicySchema.parse({ metrics: [{ metric: 'errorShare' }] }),
      ...{ alpha: 0.05, outcome: null, horizon: null, coldRequests: 0 },
      stage: { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 },
      ...{ champion: observed(1), challenger: observed(2) },
    });
    expect(judged.verdict).toBe('fail');
    expect(totals('split', 1).errors).toBe(0);
    await eventually('the event is told', () => world.controlPlane.events.size > 0);
    expect([...world.controlPlane.events.values()]).toMatchObject([
      {
        kind: 'contract-broken',
        version: 2,
        message: expect.stringMatching(/refuses requests that its route accepts.*Feature size is missing/) as string,
      },
    ]);
  });

  test('tells testers and who asks for it by number so, and answers nobody else under its name', async () => {
    await add(1, championContract);
    await add(2, mustSend);
    world.controlPlane.route('shop', 1, [{ version: 1, sharePct: 100 }], {
      standby: [2],
      overrides: [{ version: 2, keys: ['tester'], headers: [] }],
    });
    const { url } = await start();
    for (const asked of [
      { path: '/versions/2' },
      { headers: { 'x-perdure-version': '2' } },
      { headers: { 'x-perdure-key': 'tester' } },
    ]) {
      const { status, text } = await ask(url, [row], asked);
      expect([status, text]).toEqual([400, expect.stringContaining('Feature size is missing')]);
      expect((await ask(url, [{ ...row, size: 1 }], asked)).version).toBe(2);
    }
    expect((await ask(url, [row])).version).toBe(1);
    await eventually('all is counted', () => totals('override', 2).requests === 3);
    expect(totals('override', 2).errors + totals('split', 1).errors).toBe(0);
  });

  test('has the log and the passport say who stood in and why, with the features as that version saw them', async () => {
    await add(1, championContract);
    await add(2, mustSend);
    world.controlPlane.route('shop', 1, [{ version: 2, sharePct: 100 }], { standby: [1] });
    const { gateway, url } = await start();
    const { id, version } = await ask(url, [row]);
    expect(version).toBe(1);
    const passport: unknown = await (await fetch(`${url}/v1/predictions/${id}`)).json();
    expect(passport).toMatchObject({
      version: 1,
      features: row,
      why: { role: 'override', cause: 'stand-in/contract' },
    });
    const own = await ask(url, [{ ...row, size: 7 }]);
    expect(own.version).toBe(2);
    await gateway.stop();
    const folder = path.join(world.folder, 'home', 'spool', 'predictions', 'shop');
    expect(await spooledRows(folder)).toMatchObject([
      { version: 1, role: 'override', chosen_by: 'stand-in/contract', features: row },
      { version: 2, role: 'split', features: { ...row, size: 7 } },
    ]);
  });
});

describe('an output of another kind', () => {
  test.each<Fault>(['percent', 'three classes'])(
    '%s: is never put in force, and the champion answers on',
    async (fault) => {
      await add(1, championContract);
      world.controlPlane.route('shop', 1, [{ version: 1, sharePct: 100 }]);
      const { url } = await start();
      await add(2, championContract, { fault });
      world.controlPlane.route('shop', 2, halves);
      const { acknowledgements } = world.controlPlane;
      await eventually('the route is refused', () =>
        acknowledgements.some(({ epoch, error }) => epoch === 2 && error !== undefined),
      );
      expect(acknowledgements.find(({ epoch }) => epoch === 2)?.error).toMatch(/probabilit/);
      expect((await ask(url, [row])).version).toBe(1);
    },
  );
});

describe('the threshold of a version', () => {
  test('draws the line of its label over REST, over gRPC and in the log, of one row and of many, and outlives a restart without the control plane', async () => {
    const lower = { ...row, amount: 49 };
    const [score = NaN, below = NaN] = [row, lower].map((one) =>
      expectedScore(championContract, biases[1] ?? NaN, one),
    );
    expect(below).toBeGreaterThan(0.5);
    const threshold = (score + below) / 2;
    await add(1, championContract, { threshold });
    await add(2, championContract, { threshold: 0.9 });
    world.controlPlane.route('shop', 1, [{ version: 1, sharePct: 100 }], {
      standby: [2],
      shadows: [{ version: 2, samplePct: 100 }],
    });
    const first = await start();
    const check = async (url: string, grpcAddress: string) => {
      expect((await ask(url, [row])).labels).toEqual([1]);
      expect((await ask(url, [lower])).labels).toEqual([0]);
      expect((await ask(url, [lower, row, lower])).labels).toEqual([0, 1, 0]);
      expect((await ask(url, [row], { path: '/versions/2' })).labels).toEqual([0]);
      const grpc = new GrpcClient(grpcAddress);
      expect((await grpc.infer(message(row, false))).response.outputs[0]?.contents?.int64Contents).toEqual([1]);
      expect((await grpc.infer(message(lower, true))).response.rawOutputContents[0]?.readBigInt64LE(0)).toBe(0n);
      grpc.close();
    };
    await check(first.url, first.grpcAddress);
    await eventually('copies are answered', () => totals('shadow', 2).requests === 5);
    await first.gateway.stop();
    const folder = path.join(world.folder, 'home', 'spool', 'predictions', 'shop');
    const logged = z.object({
      ...{ version: z.number(), label: z.boolean(), probability: z.number() },
      prediction_id: z.string(),
    });
    const rows = (await spooledRows(folder)).map((row) => logged.parse(row));
    expect(rows.length).toBeGreaterThan(5);
    for (const one of rows) expect(one.label).toBe(one.probability >= (one.version === 1 ? threshold : 0.9));
    const labelsOf = (version: number) =>
      rows.flatMap((one) => (one.version === version && one.prediction_id.includes('.') ? [one.label] : []));
    expect(labelsOf(1)).toEqual([false, true, false]);
    expect(labelsOf(2)).toEqual([false, false, false]);

    world.controlPlane.away = true;
    const again = await start();
    await check(again.url, again.grpcAddress);
  });

  test('that a gateway kept before it was known is 0.5, until the control plane tells it under the same epoch', async () => {
    await add(1, championContract, { threshold: 0.9 });
    world.controlPlane.route('shop', 1, [{ version: 1, sharePct: 100 }]);
    const first = await start();
    expect((await ask(first.url, [row])).labels).toEqual([0]);
    await first.gateway.stop();
    const file = path.join(world.folder, 'home', 'routes.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/,"threshold":[\d.]+/, ''));
    world.controlPlane.away = true;
    const second = await start();
    expect((await ask(second.url, [row])).labels).toEqual([1]);
    world.controlPlane.away = false;
    await eventually('the threshold is learnt', async () => (await ask(second.url, [row])).labels[0] === 0);
    await eventually('it is kept', async () => (await readFile(file, 'utf8')).includes('"threshold":0.9'));
  });
});

test('after a rollback callers who had moved on are answered, by a gateway as well that starts again without the control plane', async () => {
  await add(1, championContract);
  const { definitionSha256 } = await add(2, withSize);
  world.controlPlane.route('shop', 1, halves);
  const first = await start();
  world.controlPlane.former = [{ model: 'shop', version: 2, definitionSha256 }];
  world.controlPlane.route('shop', 2, [{ version: 1, sharePct: 100 }]);
  await eventually('the way back is in force', () => first.gateway.status().routes[0]?.epoch === 2);
  const moved = { ...row, size: 3 };
  expect((await ask(first.url, [moved])).version).toBe(1);
  await first.gateway.stop();
  world.controlPlane.away = true;
  const { url } = await start();
  expect((await ask(url, [moved])).version).toBe(1);
  expect((await ask(url, [{ ...row, sise: 3 }])).status).toBe(400);
});

test('what models no longer use is taken with any value of any type, and counted by whether its day is past', async () => {
  const dropped = contractChanges.find(
    ({ name }) => name === 'a feature is dropped and accepted until a day that is past',
  );
  await add(2, dropped?.challenger ?? championContract);
  world.controlPlane.route('shop', 1, [{ version: 2, sharePct: 100 }]);
  const { url } = await start();
  for (const note of ['text', 7, null]) expect((await ask(url, [{ ...row, note }])).version).toBe(2);
  expect((await ask(url, [{ amount: 50, colour: 'red' }])).version).toBe(2);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/accepted_features_total\{model="shop",feature="note",overdue="true".*\} 3\n/);
});
