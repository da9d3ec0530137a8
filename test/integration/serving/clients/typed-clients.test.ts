import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import { createTestWorld, type TestWorld } from '../../../support/gateway-harness.js';
import { eventually } from '../../../support/poll-until.js';
import { floatTensor, int64Tensor, model, valueInfo, type Node } from '../../onnx/onnx-builder.js';

/** Features of every type from clients of others to the graph and back out of the log. */

const tools = fileURLToPath(new URL('../../../../.tools/', import.meta.url));
const python = `${tools}clients/bin/python`;
const script = fileURLToPath(new URL('./typed_client.py', import.meta.url));

const definition = parseModelDefinition({
  ...flightDelay,
  evaluation: { slices: [], gates: [] },
  rollout: { strategy: 'direct', reason: 'a test' },
  training: { program: './trainer' },
  name: 'typed',
  task: 'embedding',
  contract: {
    entity: ['key'],
    eventTime: 'at',
    output: { length: 15 },
    features: {
      id: { type: 'integer', nullable: true },
      ok: { type: 'boolean', nullable: true },
      seen: { type: 'timestamp', nullable: true },
      pixels: { type: 'vector', length: 2, nullable: true },
      note: { type: 'text', nullable: true },
      tags: { type: 'list', of: { type: 'string' }, maxLength: 4, nullable: true },
    },
  },
});
const bigId = 2n ** 60n + 1n;

/** Answers with what it was asked: whether integers and times are exactly these, texts as numbers. */
function echoModel(): Uint8Array {
  const [float, int64, bool, string] = [1, 7, 9, 8];
  const cast = (input: string, output: string): Node => ({
    op: 'Cast',
    inputs: [input],
    outputs: [output],
    attributes: { to: float },
  });
  const encode = (input: string, output: string): Node => ({
    op: 'LabelEncoder',
    domain: 'ai.onnx.ml',
    inputs: [input],
    outputs: [output],
    attributes: { keys_strings: { strings: ['🍕\n', 'b', '🍕', ''] }, values_floats: { floats: [1, 2, 3, 0] } },
  });
  const beside = ['id:missing', 'ok', 'ok:missing', 'seen:missing', 'tags:length', 'tags:missing'];
  const nodes: Node[] = [
    { op: 'Equal', inputs: ['id', 'big'], outputs: ['is big'] },
    { op: 'Equal', inputs: ['seen', 'before'], outputs: ['is before'] },
    ...['is big', 'is before', ...beside].map((name) => cast(name, `of ${name}`)),
    { op: 'IsNaN', inputs: ['pixels'], outputs: ['is none'] },
    { op: 'Where', inputs: ['is none', 'none', 'pixels'], outputs: ['of pixels'] },
    encode('note', 'of note'),
    encode('tags', 'of tags'),
    {
      op: 'Concat',
      inputs: [
        ...['of is big', 'of id:missing', 'of ok', 'of ok:missing', 'of is before', 'of seen:missing', 'of pixels'],
        ...['of note', 'of tags', 'of tags:length', 'of tags:missing'],
      ],
      outputs: ['embedding'],
      attributes: { axis: 1 },
    },
  ];
  const input = (name: string, element: number, width = 1) => valueInfo(name, element, [null, width]);
  return model({
    nodes,
    inputs: [
      ...[input('id', int64), input('id:missing', bool), input('ok', bool), input('ok:missing', bool)],
      ...[input('seen', int64), input('seen:missing', bool), input('pixels', float, 2), input('note', string)],
      ...[input('tags', string, 4), input('tags:length', int64), input('tags:missing', bool)],
    ],
    outputs: [valueInfo('embedding', float, [null, 15])],
    initializers: [int64Tensor('big', [bigId]), int64Tensor('before', [-1n]), floatTensor('none', [-9])],
  });
}

const reportSchema = z.object({
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.coerce.number()) })),
  json: z.array(z.array(z.number())),
  binary: z.array(z.array(z.number())),
  grpc: z.array(z.array(z.number())),
});

let world: TestWorld;
let url: string;
let grpcAddress: string;
beforeAll(async () => {
  world = await createTestWorld();
  await world.addVersion(1, 0, { definition, bytes: echoModel() });
  world.controlPlane.route('typed', 1, [{ version: 1, sharePct: 100 }]);
  const started = await world.start();
  ({ url, grpcAddress } = started);
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
});
afterAll(() => world.close());

test('tritonclient gets every type to the graph, exact and missing, as JSON, as bytes and over gRPC', async () => {
  const { stdout } = await promisify(execFile)(python, [script, new URL(url).host, grpcAddress]);
  const report = reportSchema.parse(JSON.parse(stdout));
  const rows = [
    [1, 0, 1, 0, 1, 0, 1.5, 2 ** -149, 1, 2, 3, 0, 0, 2, 0],
    [0, 1, 0, 1, 0, 1, -9, -9, 0, 0, 0, 0, 0, 0, 1],
  ];
  expect(report.json).toEqual(rows);
  expect(report.binary).toEqual(rows);
  expect(report.grpc).toEqual(rows);
  expect(report.inputs.map(({ name, datatype, shape: [, width] }) => `${name} ${datatype} ${width}`).sort()).toEqual([
    'id INT64 1',
    'note BYTES 1',
    'ok BOOL 1',
    'pixels FP32 2',
    'seen INT64 1',
    'tags BYTES 4',
  ]);
});

test('what was asked is in the passport, exact, as JSON has it', async () => {
  const body =
    '{"inputs": [{"name": "id", "datatype": "INT64", "shape": [1, 1], "data": [1152921504606846977]}, ' +
    '{"name": "seen", "datatype": "BYTES", "shape": [1, 1], "data": ["1969-12-31T23:59:59.999999Z"]}, ' +
    '{"name": "pixels", "datatype": "FP32", "shape": [1, 2], "data": [[1.5, -0.25]]}, ' +
    '{"name": "tags", "datatype": "BYTES", "shape": [1, 4], "data": [["b", ""]]}]}';
  const response = await fetch(`${url}/v2/models/typed/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(await response.json()).toMatchObject({
    outputs: [{ name: 'embedding', data: [1, 0, 0, 1, 1, 0, 1.5, -0.25, 0, 2, 0, 0, 0, 2, 0] }],
  });
  const passport = await fetch(`${url}/v1/predictions/${response.headers.get('x-perdure-prediction-id')}`);
  expect(await passport.json()).toMatchObject({
    features: {
      id: '1152921504606846977',
      ok: null,
      seen: '1969-12-31T23:59:59.999999Z',
      pixels: [1.5, -0.25],
      note: null,
      tags: ['b', ''],
    },
  });
});

test.each([
  ['"INT64", "shape": [1, 1], "data": [1.5]', 'id', /Feature id, row 0: 1.5 is not a whole number/],
  ['"INT64", "shape": [1, 1], "data": [9223372036854775808]', 'id', /more than 64 bits/],
  ['"FP32", "shape": [1, 3], "data": [1, 2, 3]', 'pixels', /pixels has the shape \[1,3\]. Send \[rows, 2\]/],
  ['"FP32", "shape": [1, 2], "data": [1, null]', 'pixels', /place 1 of the vector: null is not a number/],
  ['"BYTES", "shape": [1, 1], "data": ["2016-12-31T23:59:60Z"]', 'seen', /is not a time/],
  ['"BYTES", "shape": [1, 5], "data": ["a", "b", "c", "d", "e"]', 'tags', /Send \[rows, 0 to 4\]/],
])('%s is refused in words', async (tensor, name, message) => {
  const response = await fetch(`${url}/v2/models/typed/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"inputs": [{"name": "${name}", "datatype": ${tensor}}]}`,
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(message);
});
