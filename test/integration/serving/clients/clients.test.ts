import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { describeWith } from '../../../setup/require-tool.js';
import { eventually } from '../../../support/poll-until.js';
import {
  createTestWorld,
  exampleRow,
  expectedProbability,
  inferBody,
  type FlightRow,
  type TestWorld,
} from '../../../support/gateway-harness.js';

/** Programs of others, as they are published, against a gateway. */

const tools = fileURLToPath(new URL('../../../../.tools/', import.meta.url));
const python = path.join(tools, 'clients/bin/python');
const installed = (...parts: string[]) =>
  existsSync(path.join(tools, ...parts)) ? path.join(tools, ...parts) : undefined;

const rows: FlightRow[] = [exampleRow, { ...exampleRow, temp: null, dep_delay: 120, carrier: 'ÅÄ' }];
let world: TestWorld;
let url: string;
let grpcAddress: string;
let rowsFile: string;

beforeAll(async () => {
  world = await createTestWorld();
  await world.addVersion(1, -1);
  world.controlPlane.route('flight-delay', 4, [{ version: 1, sharePct: 100 }]);
  const started = await world.start();
  ({ url, grpcAddress } = started);
  await eventually('the route is in force', () => started.gateway.status().routes.length === 1);
  rowsFile = path.join(world.folder, 'rows.json');
  await writeFile(rowsFile, JSON.stringify(rows));
});
afterAll(() => world.close());

async function reportOf<T>(script: string, schema: z.ZodType<T>, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(python, [
    fileURLToPath(new URL(`./${script}`, import.meta.url)),
    ...args,
  ]);
  return schema.parse(JSON.parse(stdout));
}

const answerSchema = z.object({
  version: z.string(),
  id: z.string(),
  label: z.array(z.number()),
  labelType: z.string(),
  probabilities: z.array(z.array(z.number())),
});
type Answer = z.infer<typeof answerSchema>;
const errorSchema = z.object({ status: z.string(), message: z.string() });
const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.coerce.number()) })),
});
const tritonReport = z.object({
  live: z.boolean(),
  ready: z.boolean(),
  modelReady: z.boolean(),
  versionReady: z.boolean(),
  unknownReady: z.boolean(),
  server: z.object({ name: z.string(), extensions: z.array(z.string()) }),
  model: metadataSchema,
  gzip: answerSchema,
  deflate: answerSchema,
  explicit: answerSchema,
  async: z.array(answerSchema),
  errors: z.object({
    missing: errorSchema,
    unknownModel: errorSchema,
    unknownVersion: errorSchema,
    unknownOutput: errorSchema,
    late: errorSchema,
    load: errorSchema,
    unload: errorSchema,
  }),
});

function expectRightAnswers(...answers: Answer[]): void {
  for (const answer of answers) {
    expect(answer).toMatchObject({ version: '1', label: [0, 1], labelType: 'int64' });
    rows.forEach((row, index) => expect(answer.probabilities[index]?.[1]).toBeCloseTo(expectedProbability(-1, row), 6));
  }
}

function expectTritonServer(report: z.infer<typeof tritonReport>): void {
  expect(report).toMatchObject({ live: true, ready: true, modelReady: true, versionReady: true, unknownReady: false });
  expect(report.server).toMatchObject({ name: 'perdure', extensions: ['binary_tensor_data', 'model_repository'] });
  expect(report.model).toMatchObject({ name: 'flight-delay', versions: ['1'] });
  expect(report.model.inputs).toContainEqual({ name: 'temp', datatype: 'FP32', shape: [-1, 1] });
  expect(report.model.inputs).toContainEqual({ name: 'carrier', datatype: 'BYTES', shape: [-1, 1] });
  expectRightAnswers(report.explicit, report.gzip, report.deflate, ...report.async);
}

test('tritonclient over HTTP gets the same answers by binary tensors, by JSON, compressed and asynchronously, and its errors in words', async () => {
  const schema = tritonReport.extend({
    versionModel: metadataSchema,
    index: z.array(z.record(z.string(), z.string())),
    binary: answerSchema,
    json: answerSchema,
  });
  const report = await reportOf('triton_client.py', schema, new URL(url).host, rowsFile);
  expectTritonServer(report);
  expect(report.versionModel).toEqual(report.model);
  expect(report.index).toEqual([{ name: 'flight-delay', version: '1', state: 'READY', reason: '' }]);
  expectRightAnswers(report.binary, report.json);
  expect(report.binary.id).toBe('triton-1');
  expect(report.errors).toMatchObject({
    missing: { status: '400', message: expect.stringContaining('carrier is missing') },
    unknownModel: { status: '404' },
    unknownVersion: { status: '404' },
    unknownOutput: { status: '400', message: expect.stringContaining('"nothing"') },
    late: { status: '504' },
    load: { status: '403', message: expect.stringContaining('perdure promote') },
    unload: { status: '403' },
  });
});

test('tritonclient over gRPC gets the same answers, compressed and asynchronously, and its errors in words', async () => {
  const schema = tritonReport.extend({
    index: z.object({ models: z.array(z.record(z.string(), z.string())) }),
    raw: answerSchema,
    outputs: z.array(z.string()),
  });
  const report = await reportOf('triton_grpc_client.py', schema, grpcAddress, rowsFile);
  expectTritonServer(report);
  expect(report.index.models).toEqual([{ name: 'flight-delay', version: '1', state: 'READY' }]);
  expectRightAnswers(report.raw);
  expect(report.raw.id).toBe('triton-1');
  expect(report.outputs).toEqual(['probabilities']);
  expect(report.errors).toMatchObject({
    missing: { status: 'StatusCode.INVALID_ARGUMENT', message: expect.stringContaining('carrier is missing') },
    unknownModel: { status: 'StatusCode.NOT_FOUND' },
    unknownVersion: { status: 'StatusCode.NOT_FOUND' },
    unknownOutput: { status: 'StatusCode.INVALID_ARGUMENT', message: expect.stringContaining('"nothing"') },
    late: { status: 'StatusCode.DEADLINE_EXCEEDED' },
    load: { status: 'StatusCode.PERMISSION_DENIED', message: expect.stringContaining('perdure promote') },
    unload: { status: 'StatusCode.PERMISSION_DENIED' },
  });
});

test('the programs in the README do what they say', async () => {
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
  const programs = [...readme.matchAll(/^```python\n(.*?)^```$/gms)]
    .map((match) => match[1])
    .filter((text) => text?.includes('triton'));
  expect(programs.length).toBe(2);
  const program = programs
    .join('\n')
    .replace('127.0.0.1:7410', new URL(url).host)
    .replace('127.0.0.1:7411', grpcAddress);
  const { stdout } = await promisify(execFile)(python, ['-c', program]);
  const [rest, grpc] = stdout.trim().split('\n');
  expect(rest).toMatch(/^1 \[[01]\] \[\[0\.\d+ 0\.\d+ *\]\]$/);
  expect(grpc).toBe(rest);
});

// kserve is not published for every Python: the environment may have been made without it.
const kserveProgram = installed('clients/bin/uvicorn');
describeWith('kserve', kserveProgram, () => {
  test('the kserve client gets the same answers over REST and gRPC, by raw and by typed tensors', async () => {
    const server = { live: z.boolean(), ready: z.boolean(), modelReady: z.boolean(), missing: errorSchema };
    // Over REST this client itself drops the version.
    const restAnswer = answerSchema.extend({ version: z.null().transform(() => '1') });
    const schema = z.object({
      rest: z.object({ ...server, binary: restAnswer, json: restAnswer }),
      grpc: z.object({ ...server, raw: answerSchema, typed: answerSchema }),
    });
    const { rest, grpc } = await reportOf('kserve_client.py', schema, url, grpcAddress, rowsFile);
    expect(rest).toMatchObject({ live: true, ready: true, modelReady: true, missing: { status: '400' } });
    expect(rest.missing.message).toContain('carrier is missing');
    expect(grpc).toMatchObject({ live: true, ready: true, modelReady: true, missing: { status: 'INVALID_ARGUMENT' } });
    expect(grpc.missing.message).toContain('carrier is missing');
    expectRightAnswers(rest.binary, rest.json, grpc.raw, grpc.typed);
    expect(grpc.typed.id).toBe('kserve-1');
  });
});

describeWith('mlserver', installed('mlserver/bin/mlserver'), (mlserver) => {
  test('the command mlserver infer has a file of requests answered, alone and in batches of its making', async () => {
    const input = path.join(world.folder, 'requests.jsonl');
    const asked = Array.from({ length: 12 }, (_, index) => ({
      ...exampleRow,
      temp: 40,
      wind_gust: 3,
      dep_delay: index * 10,
    }));
    await writeFile(input, asked.map((row, index) => JSON.stringify(inferBody([row], `r-${index}`))).join('\n'));
    for (const batchSize of ['1', '4']) {
      const output = path.join(world.folder, `answers-${batchSize}.jsonl`);
      const args = [
        'infer',
        '-u',
        new URL(url).host,
        '-m',
        'flight-delay',
        '-i',
        input,
        '-o',
        output,
        '-s',
        batchSize,
        '-w',
        '2',
      ];
      await promisify(execFile)(mlserver, args, { cwd: world.folder });
      const lineSchema = z.object({
        id: z.string(),
        model_version: z.string(),
        outputs: z.array(z.object({ name: z.string(), data: z.array(z.number()) })),
      });
      const lines = (await readFile(output, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => lineSchema.parse(JSON.parse(line)));
      expect(lines.map((line) => line.id).sort()).toEqual(asked.map((_, index) => `r-${index}`).sort());
      for (const { id, model_version, outputs } of lines) {
        expect(model_version).toBe('1');
        const row = asked[Number(id.slice(2))] ?? exampleRow;
        expect(outputs.find((one) => one.name === 'probabilities')?.data[1]).toBeCloseTo(
          expectedProbability(-1, row),
          6,
        );
      }
    }
  });
});

test('probes and tools of gRPC find health and reflection', async () => {
  const names = z.array(z.string());
  const states = z.record(z.string(), z.string());
  const schema = z.object({
    check: states,
    watch: states,
    services: z.object({ v1: names, v1alpha: names }),
    methods: names,
    fields: names,
    file: z.string(),
    unknown: z.string().nullable(),
  });
  const report = await reportOf('grpc_tools_client.py', schema, grpcAddress);
  expect(report.check).toEqual({ '': 'SERVING', 'inference.GRPCInferenceService': 'SERVING', nobody: 'NOT_FOUND' });
  expect(report.watch).toEqual({ '': 'SERVING', nobody: 'SERVICE_UNKNOWN' });
  const services = [
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'inference.GRPCInferenceService',
  ];
  expect(report.services).toEqual({ v1: services, v1alpha: services });
  expect(report.methods).toEqual(
    expect.arrayContaining([
      'ServerLive',
      'ServerReady',
      'ModelReady',
      'ServerMetadata',
      'ModelMetadata',
      'ModelInfer',
    ]),
  );
  expect(report.fields).toContain('raw_input_contents');
  expect(report.file).toBe('open_inference_grpc.proto');
  expect(report.unknown).toContain('inference.Nothing');
});
