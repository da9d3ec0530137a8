import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createGatewayClient } from '../../../client/http/gateway-client.js';
import { noContents } from '../../../serving/grpc/infer-message.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, type TestWorld } from '../../support/gateway-harness.js';
import { failureOf, GrpcClient } from './grpc-client.js';
import { embeddingOf, grades, multiclass, ranking, regression, type TaskModel } from './task-models.js';

const models = { regression, multiclass, grades, ranking, embedding: embeddingOf(3) };
const xs = [0.75, -2, 30.5];

let world: TestWorld;
let url: string;
let grpc: GrpcClient;
beforeAll(async () => {
  world = await createTestWorld();
  for (const { definition, bytes } of Object.values(models)) {
    const served = await world.addVersion(1, 0, { definition, bytes });
    if (definition === grades.definition) Object.assign(served, { classes: grades.classes });
    world.controlPlane.route(definition.name, 1, [{ version: 1, sharePct: 100 }]);
  }
  const started = await world.start();
  url = started.url;
  grpc = new GrpcClient(started.grpcAddress);
  await eventually('all are served', () => started.gateway.status().routes.length === Object.keys(models).length);
});
afterAll(async () => {
  grpc.close();
  await world.close();
});

const outputSchema = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.number()),
  data: z.array(z.union([z.number(), z.string()])).optional(),
  parameters: z.object({ binary_data_size: z.number() }).optional(),
});
const answerSchema = z.object({ outputs: z.array(outputSchema) });

const requestOf = (more: object = {}) =>
  JSON.stringify({ inputs: [{ name: 'x', shape: [xs.length, 1], datatype: 'FP32', data: xs }], ...more });
const infer = ({ definition }: TaskModel, body: string) =>
  fetch(`${url}/v2/models/${definition.name}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });

/** The expected values of an output, row after row. */
const expected = (one: TaskModel, name: string): (number | string)[] =>
  xs.flatMap((x) => one.expected(x)[name] ?? 'missing');

function expectValues(found: readonly (number | string)[], wanted: readonly (number | string)[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [at, value] of wanted.entries())
    if (typeof value === 'string' || Number.isInteger(value)) expect(found[at]).toBe(value);
    else expect(found[at]).toBeCloseTo(value, 6);
}

const shapes: Record<keyof typeof models, Record<string, [string, number[]]>> = {
  regression: { value: ['FP32', []], quantiles: ['FP32', [3]] },
  multiclass: { label: ['BYTES', []], probabilities: ['FP32', [3]] },
  grades: { label: ['INT64', []], probabilities: ['FP32', [3]] },
  ranking: { score: ['FP32', []] },
  embedding: { embedding: ['FP32', [3]] },
};
const tasks = Object.entries(models).map(([name, one]) => [name as keyof typeof models, one] as const);

/** The values of a tensor's bytes. */
function fromBytes(datatype: string, bytes: Buffer): (number | string)[] {
  if (datatype === 'FP32') return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
  if (datatype === 'INT64')
    return Array.from({ length: bytes.length / 8 }, (_, at) => Number(bytes.readBigInt64LE(at * 8)));
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    texts.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

const labels: Record<keyof typeof models, { taken: unknown; told: unknown; refused: unknown; why: string }> = {
  regression: {
    taken: 12.5,
    told: 12.5,
    refused: 1000.5,
    why: 'must be a finite number, not below -1000 and not above 1000',
  },
  multiclass: { taken: 'grün', told: 'grün', refused: 'green', why: 'is none of the classes: "red", "grün", "blue"' },
  grades: { taken: -7, told: '-7', refused: 4, why: 'is none of the classes: -7, 3, 9007199254740991' },
  ranking: { taken: 2, told: 2, refused: 0.5, why: 'must be a whole number' },
  embedding: { taken: undefined, told: null, refused: 1, why: 'a model of the task embedding has no label' },
};

/** What the log holds of an answer, under the names of its columns. */
function loggedAs({ label, ...outputs }: Record<string, unknown>): object {
  const close = (value: unknown): unknown =>
    typeof value === 'number' ? (expect.closeTo(value, 6) as unknown) : Array.isArray(value) ? value.map(close) : value;
  const numbers = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, close(value)]));
  return { ...numbers, ...(label !== undefined && { predicted: String(label as string | number) }) };
}

describe.each(tasks)('%s answers with the outputs of its task', (name, one) => {
  const wanted = Object.entries(shapes[name]);

  test('as JSON', async () => {
    const response = await infer(one, requestOf());
    expect(response.status).toBe(200);
    const { outputs } = answerSchema.parse(await response.json());
    expect(outputs.map((output) => [output.name, output.datatype, output.shape])).toEqual(
      wanted.map(([output, [datatype, width]]) => [output, datatype, [xs.length, ...width]]),
    );
    for (const { name: output, data } of outputs) expectValues(data ?? [], expected(one, output));
  });

  test('as binary tensors', async () => {
    const response = await infer(one, requestOf({ parameters: { binary_data_output: true } }));
    const header = Number(response.headers.get('inference-header-content-length'));
    const body = Buffer.from(await response.arrayBuffer());
    const { outputs } = answerSchema.parse(JSON.parse(body.toString('utf8', 0, header)));
    let at = header;
    for (const { name: output, datatype, parameters } of outputs) {
      const bytes = body.subarray(at, (at += parameters?.binary_data_size ?? 0));
      expectValues(fromBytes(datatype, bytes), expected(one, output));
    }
    expect(at).toBe(body.length);
    expect(outputs).toHaveLength(wanted.length);
  });

  test('over gRPC, typed and raw', async () => {
    const request = {
      ...{ modelName: one.definition.name, modelVersion: '', id: '', parameters: {}, outputs: [] },
    };
    const input = { name: 'x', datatype: 'FP32', shape: [xs.length, 1], parameters: {} };
    const typed = await grpc.infer({
      ...request,
      inputs: [{ ...input, contents: { ...noContents, fp32Contents: xs } }],
      rawInputContents: [],
    });
    const raw = await grpc.infer({
      ...request,
      inputs: [{ ...input, contents: undefined }],
      rawInputContents: [Buffer.from(Float32Array.from(xs).buffer)],
    });
    for (const [at, [output, [datatype, width]]] of wanted.entries()) {
      const shape = [xs.length, ...width];
      expect(typed.response.outputs[at]).toMatchObject({ name: output, datatype, shape });
      expect(raw.response.outputs[at]).toMatchObject({ name: output, datatype, shape });
      const contents = typed.response.outputs[at]?.contents ?? noContents;
      const values =
        datatype === 'FP32'
          ? contents.fp32Contents
          : datatype === 'INT64'
            ? contents.int64Contents
            : contents.bytesContents.map((text) => text.toString());
      expectValues(values, expected(one, output));
      expectValues(fromBytes(datatype, raw.response.rawOutputContents[at] ?? Buffer.alloc(0)), expected(one, output));
    }
  });

  test('says so in its metadata', async () => {
    const metadata: unknown = await (await fetch(`${url}/v2/models/${one.definition.name}`)).json();
    expect(metadata).toMatchObject({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
      outputs: wanted.map(([output, [datatype, width]]) => ({ name: output, datatype, shape: [-1, ...width] })),
    });
  });

  test('gives the output that is asked for alone, and names its own where another is', async () => {
    const [last] = wanted.at(-1) ?? [''];
    const { outputs } = answerSchema.parse(await (await infer(one, requestOf({ outputs: [{ name: last }] }))).json());
    expect(outputs.map((output) => output.name)).toEqual([last]);
    expectValues(outputs[0]?.data ?? [], expected(one, last));
    const refused = await infer(one, requestOf({ outputs: [{ name: 'chance' }] }));
    const names = wanted.map(([output]) => output).join(', ');
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: `Output "chance" does not exist. Outputs are: ${names}.` },
    ]);
    const input = { name: 'x', datatype: 'FP32', shape: [1, 1], parameters: {} };
    const failure = await failureOf(
      grpc.infer({
        ...{ modelName: one.definition.name, modelVersion: '', id: '', parameters: {}, rawInputContents: [] },
        inputs: [{ ...input, contents: { ...noContents, fp32Contents: [1] } }],
        outputs: [{ name: 'chance', parameters: {} }],
      }),
    );
    expect(failure.details).toContain(`Outputs are: ${names}.`);
  });

  test('to the command line row by row, each output by its name', async () => {
    const input = { name: 'x', datatype: 'FP32', shape: [xs.length, 1], data: xs };
    const { rows, predictionIds } = await createGatewayClient(url).infer(one.definition.name, [input]);
    expect(predictionIds).toHaveLength(xs.length);
    for (const [at, x] of xs.entries())
      for (const [output, value] of Object.entries(one.expected(x)))
        expectValues([rows[at]?.[output] ?? 'missing'].flat(), [value].flat());
  });

  test('is found again with its outputs by name, and with the label that came', async () => {
    const { taken, told, refused, why } = labels[name];
    const id = (await infer(one, requestOf())).headers.get('x-perdure-prediction-id') ?? '';
    const send = (label: unknown) =>
      fetch(`${url}/v1/models/${one.definition.name}/labels`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ prediction_id: `${id}.1`, label, observed_at: '2026-01-01T00:00:00Z' }]),
      });
    const answer = await send(refused);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: expect.stringContaining(`labels[0].label is ${JSON.stringify(refused)}: it `) as string,
    });
    expect(await (await send(refused)).text()).toContain(JSON.stringify(why).slice(1, -1));
    expect(await (await send(undefined)).text()).toContain('labels[0].label is missing: it ');
    if (taken !== undefined) expect((await send(taken)).status).toBe(202);
    const passport: unknown = await (await fetch(`${url}/v1/predictions/${id}.1`)).json();
    expect(passport).toMatchObject({
      answer: { ...loggedAs(one.expected(xs[1] ?? NaN)), latency_ms: expect.any(Number) as number },
      outcome: told === null ? null : { label: told },
    });
  });
});
