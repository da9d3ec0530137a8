import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ModelInferRequest } from '../../../serving/grpc/generated/open_inference_grpc.js';
import type { Gateway } from '../../../serving/gateway.js';
import { noContents } from '../../../serving/grpc/infer-message.js';
import { eventually } from '../../support/poll-until.js';
import {
  createTestWorld,
  exampleRow,
  expectedProbability,
  inferBody,
  type TestWorld,
} from '../../support/gateway-harness.js';
import { failureOf, GrpcClient, rawRequest, typedRequest } from './grpc-client.js';

let world: TestWorld;
let url: string;
let client: GrpcClient;
let gateway: Gateway;
let grpcAddress: string;

beforeAll(async () => {
  world = await createTestWorld();
  await world.addVersion(1, -1);
  await world.addVersion(2, 1);
  world.controlPlane.route('flight-delay', 4, [
    { version: 1, sharePct: 50 },
    { version: 2, sharePct: 50 },
  ]);
  const started = await world.start({ bodyBytesMax: 1024 * 1024 });
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
  url = started.url;
  gateway = started.gateway;
  grpcAddress = started.grpcAddress;
  client = new GrpcClient(grpcAddress);
});
afterAll(async () => {
  client.close();
  await world.close();
});

const rows = [exampleRow, { ...exampleRow, temp: null, dep_delay: 120, carrier: 'ÅÄ' }];
const byVersion1 = { modelVersion: '1' };

describe('an inference', () => {
  test('by typed contents is answered with typed contents, the version, the epoch and a prediction id', async () => {
    const { response, metadata } = await client.infer(typedRequest(rows, { id: 'mine', ...byVersion1 }));
    expect(response).toMatchObject({ modelName: 'flight-delay', modelVersion: '1', id: 'mine', rawOutputContents: [] });
    const [label, probabilities] = response.outputs;
    expect(label).toMatchObject({ name: 'label', datatype: 'INT64', shape: [2], contents: { int64Contents: [0, 1] } });
    expect(probabilities).toMatchObject({ name: 'probabilities', datatype: 'FP32', shape: [2, 2] });
    rows.forEach((row, index) =>
      expect(probabilities?.contents?.fp32Contents[index * 2 + 1]).toBeCloseTo(expectedProbability(-1, row), 6),
    );
    expect(metadata.get('x-perdure-epoch')).toEqual(['4']);
    expect(metadata.get('x-perdure-prediction-id')[0]).toMatch(/^p-[0-9a-z]+-[0-9a-f]{8}-[0-9a-z]+$/);
  });

  test('by raw contents is answered with raw contents', async () => {
    const { response, metadata } = await client.infer(rawRequest(rows, byVersion1));
    expect(response.outputs.map((output) => output.contents)).toEqual([undefined, undefined]);
    const [label = Buffer.alloc(0), probabilities = Buffer.alloc(0)] = response.rawOutputContents;
    expect([label.length, label.readBigInt64LE(0), label.readBigInt64LE(8)]).toEqual([16, 0n, 1n]);
    rows.forEach((row, index) =>
      expect(probabilities.readFloatLE(index * 8 + 4)).toBeCloseTo(expectedProbability(-1, row), 6),
    );
    expect(response.id).toBe(metadata.get('x-perdure-prediction-id')[0]);
  });

  test.each([
    ['FP64', { fp64Contents: [120, 2] }],
    ['INT8', { intContents: [120, 2] }],
    ['INT32', { intContents: [120, 2] }],
    ['INT64', { int64Contents: [120, 2] }],
    ['UINT16', { uintContents: [120, 2] }],
    ['UINT64', { uint64Contents: [120, 2] }],
  ])('takes typed numbers of the datatype %s', async (datatype, contents) => {
    const request = typedRequest([exampleRow, exampleRow], byVersion1);
    for (const input of request.inputs)
      if (input.name === 'dep_delay') Object.assign(input, { datatype, contents: { ...noContents, ...contents } });
    const { response } = await client.infer(request);
    [120, 2].forEach((dep_delay, index) =>
      expect(response.outputs[1]?.contents?.fp32Contents[index * 2 + 1]).toBeCloseTo(
        expectedProbability(-1, { ...exampleRow, dep_delay }),
        6,
      ),
    );
  });

  test('of several thousand rows is answered in their order', async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...exampleRow, dep_delay: index % 500 }));
    const { response } = await client.infer(rawRequest(many, byVersion1));
    const probabilities = response.rawOutputContents[1] ?? Buffer.alloc(0);
    for (const index of [0, 1, 499, 500, 1_999])
      expect(probabilities.readFloatLE(index * 8 + 4)).toBeCloseTo(
        expectedProbability(-1, { ...exampleRow, dep_delay: index % 500 }),
        6,
      );
  });

  test('goes to the version that the same key or id gets over REST', async () => {
    const answerSchema = z.object({ model_version: z.string() });
    const byRest = async (headers: Record<string, string>, id?: string) => {
      const response = await fetch(`${url}/v2/models/flight-delay/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(inferBody([exampleRow], id)),
      });
      return answerSchema.parse(await response.json()).model_version;
    };
    const versions = new Set<string>();
    for (let number = 0; number < 20; number += 1) {
      const headers = { 'x-perdure-key': `k-${number}` };
      const { response } = await client.infer(rawRequest([exampleRow], { id: `r-${number}` }), headers);
      expect(response.modelVersion).toBe(await byRest(headers));
      const withoutKey = await client.infer(typedRequest([exampleRow], { id: `r-${number}` }));
      expect(withoutKey.response.modelVersion).toBe(await byRest({}, `r-${number}`));
      versions.add(response.modelVersion);
    }
    expect(versions).toEqual(new Set(['1', '2']));
  });
});

describe('a request that is wrong is refused with words, and the gateway serves on', () => {
  const changed = (name: string, change: object) => {
    const request = typedRequest([exampleRow]);
    return {
      ...request,
      inputs: request.inputs.map((input) => (input.name === name ? { ...input, ...change } : input)),
    };
  };
  const raw = rawRequest([exampleRow]);
  const bytesOf = (request: ModelInferRequest) => Buffer.from(ModelInferRequest.encode(request).finish());
  test.each<[string, ModelInferRequest | Buffer, status, RegExp]>([
    ['no such message', Buffer.from('{"inputs": []}'), status.INVALID_ARGUMENT, /not a ModelInferRequest/],
    ['a message cut short', bytesOf(raw).subarray(0, -3), status.INVALID_ARGUMENT, /not a ModelInferRequest/],
    ['an empty message', Buffer.alloc(0), status.NOT_FOUND, /"" is not served here/],
    [
      'another model',
      typedRequest([exampleRow], { modelName: 'nobody' }),
      status.NOT_FOUND,
      /"nobody" is not served here. Served: flight-delay/,
    ],
    [
      'another version',
      typedRequest([exampleRow], { modelVersion: '9' }),
      status.NOT_FOUND,
      /Version 9 of flight-delay is not loaded/,
    ],
    ['no version', typedRequest([exampleRow], { modelVersion: 'x' }), status.NOT_FOUND, /"x" is not a version/],
    [
      'a feature missing',
      { ...raw, inputs: raw.inputs.slice(1), rawInputContents: raw.rawInputContents.slice(1) },
      status.INVALID_ARGUMENT,
      /carrier is missing/,
    ],
    [
      'a feature twice',
      {
        ...typedRequest([exampleRow]),
        inputs: [...typedRequest([exampleRow]).inputs, ...typedRequest([exampleRow]).inputs],
      },
      status.INVALID_ARGUMENT,
      /sent twice/,
    ],
    ['a feature without a name', changed('temp', { name: '' }), status.INVALID_ARGUMENT, /has no name/],
    [
      'out of range',
      changed('dep_delay', { contents: { ...noContents, fp32Contents: [99_999] } }),
      status.INVALID_ARGUMENT,
      /dep_delay, row 0: 99999 is outside/,
    ],
    [
      'missing where none may be',
      changed('dep_delay', { contents: { ...noContents, fp32Contents: [NaN] } }),
      status.INVALID_ARGUMENT,
      /dep_delay, row 0: the value is missing/,
    ],
    [
      'values of another type',
      changed('temp', { contents: { ...noContents, fp64Contents: [1] } }),
      status.INVALID_ARGUMENT,
      /temp has 0 values/,
    ],
    ['no values', changed('temp', { contents: undefined }), status.INVALID_ARGUMENT, /"temp" has no values/],
    [
      'a datatype without contents',
      changed('temp', { datatype: 'FP16' }),
      status.INVALID_ARGUMENT,
      /"FP16", for which there are no contents/,
    ],
    [
      'strings that are not UTF-8',
      changed('carrier', { contents: { ...noContents, bytesContents: [Buffer.of(0xff)] } }),
      status.INVALID_ARGUMENT,
      /carrier, row 0: the bytes are not UTF-8/,
    ],
    [
      'a shape of too many rows',
      changed('temp', { shape: [2, 1] }),
      status.INVALID_ARGUMENT,
      /temp has 1 values, but its shape/,
    ],
    [
      'contents beside raw contents',
      { ...raw, inputs: typedRequest([exampleRow]).inputs },
      status.INVALID_ARGUMENT,
      /beside raw_input_contents/,
    ],
    [
      'fewer raw contents than inputs',
      { ...raw, rawInputContents: raw.rawInputContents.slice(1) },
      status.INVALID_ARGUMENT,
      /19 inputs, but 18 raw_input_contents/,
    ],
    [
      'raw contents of the wrong length',
      { ...raw, rawInputContents: [...raw.rawInputContents.slice(0, -1), Buffer.alloc(3)] },
      status.INVALID_ARGUMENT,
      /has 3 bytes, but 1 values of FP32 are 4/,
    ],
    [
      'an output that is none',
      typedRequest([exampleRow], { outputs: [{ name: 'nothing', parameters: {} }] }),
      status.INVALID_ARGUMENT,
      /"nothing" does not exist/,
    ],
    [
      'a timeout that is none',
      typedRequest([exampleRow], {
        parameters: { timeout: { parameterChoice: { $case: 'stringParam', value: 'soon' } } },
      }),
      status.INVALID_ARGUMENT,
      /timeout is "soon"/,
    ],
    [
      'an id that is too long',
      typedRequest([exampleRow], { id: 'x'.repeat(257) }),
      status.INVALID_ARGUMENT,
      /id is not a string of at most 256/,
    ],
    ['a message larger than a body may be', Buffer.alloc(2_000_000), status.RESOURCE_EXHAUSTED, /larger than max/],
  ])('%s', async (_, request, code, message) => {
    const failure = await failureOf(client.send(Buffer.isBuffer(request) ? request : bytesOf(request)).answer);
    expect(failure.code).toBe(code);
    expect(failure.details).toMatch(message);
    await client.infer(rawRequest([exampleRow]));
  });

  test('a method that is not offered', async () => {
    const failure = await failureOf(
      new Promise((resolve, reject) =>
        client.client.makeUnaryRequest(
          '/inference.GRPCInferenceService/ModelStreamInfer',
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.alloc(0),
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        ),
      ),
    );
    expect(failure.code).toBe(status.UNIMPLEMENTED);
  });
});

test('a message that unpacks to more than a body may be is refused', async () => {
  const gzip = new GrpcClient(grpcAddress, { 'grpc.default_compression_algorithm': 2 });
  const failure = await failureOf(gzip.send(Buffer.alloc(50_000_000)).answer);
  gzip.close();
  expect([failure.code, failure.details]).toEqual([
    status.RESOURCE_EXHAUSTED,
    expect.stringContaining('larger than 1048576'),
  ]);
  await client.infer(rawRequest([exampleRow]));
});

test('a port that is taken is an error that names the variable', async () => {
  const port = Number(new URL(`http://${grpcAddress}`).port);
  await expect(gateway.listenGrpc({ host: '127.0.0.1', port })).rejects.toThrow(
    /cannot be opened.*PERDURE_GATEWAY_GRPC_PORT/,
  );
});
