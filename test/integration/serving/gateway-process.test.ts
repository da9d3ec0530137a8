import { spawn, type ChildProcess } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { createObjectStore, type ObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { liveGateways } from '../../../db/serving/gateway-queries.js';
import { servedTraffic } from '../../../db/serving/serving-windows.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { writeRoute } from '../../../db/serving/route-queries.js';
import { objectKeys } from '../../../domain/object-keys.js';
import type { Split } from '../../../domain/serving/route.js';
import { builtGateway } from '../../../infra/embedded/processes/built-gateway.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { rowsOfLine } from '../../../serving/prediction-log/rows-of-line.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { eventually } from '../../support/poll-until.js';
import { exampleRow, expectedProbability, inferBody, makeModel } from '../../support/gateway-harness.js';
import { GrpcClient, rawRequest } from './grpc-client.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const environmentSchema = z.object({
  PERDURE_S3_ENDPOINT: z.string(),
  PERDURE_S3_BUCKET: z.string(),
  PERDURE_S3_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
});

let folder: string;
let database: TestDatabase;
let db: Database;
let store: ObjectStore;
let routeNumber = 0;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-gateway-process-'));
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  const env = environmentSchema.parse(process.env);
  store = createObjectStore({
    endpoint: env.PERDURE_S3_ENDPOINT,
    bucket: env.PERDURE_S3_BUCKET,
    region: env.PERDURE_S3_REGION,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
  });
  await store.ensureBucket();
  await applyDefinition(db, flightDelay, 'test');
  for (const [version, bias] of [
    [1, -1],
    [2, 1],
  ] as const) {
    await register(version, bias);
  }
});
afterEach(() => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await db.close();
  store.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/**
 * Puts a version into the registry and its artifact into the object store; what a gateway does not read is left empty.
 */
async function register(version: number, bias: number): Promise<void> {
  const file = makeModel(path.join(folder, `${version}.onnx`), bias);
  const draft = `test/${version}.onnx`;
  const { sha256 } = await store.put(draft, { file });
  await store.putImmutable(objectKeys.artifact(sha256), { file });
  const [{ sha256: definition } = { sha256: '' }] = await db.sql<{ sha256: string }[]>`select sha256 from definitions`;
  await db.sql`insert into runs (id, workflow_id, model, definition_sha256, cause)
    values (${`run-${version}`}, 'w', 'flight-delay', ${definition}, '{}')`;
  await db.sql`insert into versions (model, version, run_id, definition_sha256, snapshot_sha256, artifact_sha256,
    artifact_key, signature, metrics, gates, evaluation_key, lineage)
    values ('flight-delay', ${version}, ${`run-${version}`}, ${definition}, '', ${sha256},
    ${objectKeys.artifact(sha256)}, '{}', '{}', '[]', '', '{}')`;
}

async function route(split: Split): Promise<number> {
  const lease = await acquireLease(db, 'rollout/production/flight-delay', 'test');
  if (!('grant' in lease)) throw new Error('the lease is held');
  routeNumber += 1;
  const written = await writeRoute(db, {
    environment: 'production',
    model: 'flight-delay',
    split,
    reason: 'test',
    idempotencyKey: `test-${routeNumber}`,
    lease: lease.grant,
  });
  return written.epoch;
}

interface Running {
  url: string;
  grpcAddress: string;
  child: ChildProcess;
  home: string;
  exit: Promise<number | string | null>;
}

async function startGateway(home: string, change: Record<string, string> = {}): Promise<Running> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [await builtGateway(root)], {
    cwd: root,
    env: {
      ...process.env,
      PERDURE_DATABASE_URL: database.url,
      PERDURE_GATEWAY_ENVIRONMENT: 'production',
      PERDURE_GATEWAY_PORT: String(port),
      PERDURE_GATEWAY_GRPC_PORT: String(grpcPort),
      PERDURE_GATEWAY_HOME: home,
      PERDURE_GATEWAY_SEGMENT_SECONDS: '0.3',
      PERDURE_KEY_HASH_SECRET: 'a secret of the tests',
      PERDURE_LOG_LEVEL: process.env['PERDURE_TEST_LOG'] ?? 'silent',
      ...change,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  processes.push(child);
  const exit = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const url = `http://127.0.0.1:${port}`;
  await eventually('the gateway is live', () =>
    fetch(`${url}/v2/health/live`).then(
      (response) => response.ok,
      () => false,
    ),
  );
  return { url, grpcAddress: `127.0.0.1:${grpcPort}`, child, home, exit };
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

const answerSchema = z.object({
  model_version: z.string(),
  outputs: z.tuple([z.unknown(), z.object({ data: z.array(z.number()) })]),
});

/** Asks once. @returns the prediction's id and the version that answered. */
async function ask(
  url: string,
  id?: string,
): Promise<{ predictionId: string; version: number; probability: number | undefined }> {
  const response = await fetch(`${url}/v2/models/flight-delay/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(inferBody([exampleRow], id)),
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  const body = answerSchema.parse(await response.json());
  return {
    predictionId: response.headers.get('x-perdure-prediction-id') ?? '',
    version: Number(body.model_version),
    probability: body.outputs[1].data[1],
  };
}

const acknowledged = (epoch: number) => async () =>
  (await liveGateways(db, 'production', 'flight-delay')).find((one) => one.epoch === epoch && one.error === null);

/** Every prediction id or label in the object store under a prefix. */
async function shipped(prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for (const { key } of await store.list(prefix)) {
    const file = path.join(folder, path.basename(key));
    await store.getToFile(key, file);
    const session = await openDuckSession({ folder });
    const rows = await session.rows(`SELECT prediction_id FROM '${file}'`, z.object({ prediction_id: z.string() }));
    session.close();
    ids.push(...rows.map((row) => row.prediction_id));
  }
  return ids.sort();
}

const isAlive = (processId: number) => {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
};
const statusSchema = z.object({
  routes: z.array(z.object({ epoch: z.number() })),
  versions: z.array(z.object({ process: z.object({ processId: z.number() }) })),
});

test('from the registry to answers, windows, prediction log and labels; a route change is acknowledged within a second; SIGTERM ends it in order', async () => {
  const { url, grpcAddress, child, exit } = await startGateway(path.join(folder, 'one'));
  await expect(ask(url)).rejects.toThrow(/404.*not served here/);
  const first = await route([{ version: 1, sharePct: 100 }]);
  await eventually('epoch 1 is acknowledged', acknowledged(first));
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(url, `r-${index}`)));
  expect(answers[0]?.probability).toBeCloseTo(expectedProbability(-1, exampleRow), 6);

  const second = await route([
    { version: 1, sharePct: 50 },
    { version: 2, sharePct: 50 },
  ]);
  await eventually('epoch 2 is acknowledged', acknowledged(second));
  let third = second;
  const tookMs: number[] = [];
  for (const sharePct of [60, 70, 75]) {
    const startedAt = performance.now();
    third = await route([
      { version: 1, sharePct: 100 - sharePct },
      { version: 2, sharePct },
    ]);
    await eventually(`epoch ${third} is acknowledged`, acknowledged(third));
    tookMs.push(performance.now() - startedAt);
  }
  expect(Math.min(...tookMs)).toBeLessThan(1_000);
  answers.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => ask(url, `s-${index}`)))));
  expect(new Set(answers.map((answer) => answer.version))).toEqual(new Set([1, 2]));
  expect((await ask(url, 's-7')).version).toBe(answers[57]?.version);

  const labelled = await fetch(`${url}/v1/models/flight-delay/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      answers.map(({ predictionId }) => ({
        prediction_id: predictionId,
        label: true,
        observed_at: '2013-04-01T12:00:00Z',
      })),
    ),
  });
  expect(labelled.status).toBe(202);
  const ids = answers.map((answer) => answer.predictionId).sort();
  await eventually(
    'the labels are in the object store',
    async () => (await shipped('labels/flight-delay/')).length >= ids.length,
  );
  expect(await shipped('labels/flight-delay/')).toEqual(ids);
  await eventually(
    'the predictions are in the object store',
    async () => (await shipped('predictions/production/flight-delay/')).length >= ids.length + 1,
  );
  expect(await shipped('predictions/production/flight-delay/')).toEqual(expect.arrayContaining(ids));

  const passport = await fetch(`${url}/v1/predictions/${answers[0]?.predictionId}`);
  expect([passport.status, await passport.json()]).toMatchObject([200, { request_id: 'r-0', version: 1 }]);
  const grpc = new GrpcClient(grpcAddress);
  expect(await grpc.services()).toContain('inference.GRPCInferenceService');
  grpc.close();

  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  expect(await liveGateways(db, 'production', 'flight-delay')).toEqual([]);
  const counted = await servedTraffic(db, 'flight-delay', 'production');
  expect(counted.reduce((sum, { requests }) => sum + requests, 0)).toBe(101);
});

test('killed with -9 it leaves no process behind, answers again without Postgres and S3, and ships each prediction of its spool once when they are back', async () => {
  const home = path.join(folder, 'two');
  const epoch = await route([{ version: 2, sharePct: 100 }]);
  const first = await startGateway(home, { PERDURE_GATEWAY_SEGMENT_SECONDS: '600' });
  await eventually('the epoch is acknowledged', acknowledged(epoch));
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(first.url, `k-${index}`)));
  const spool = path.join(home, 'spool', 'predictions', 'flight-delay');
  const segment = await eventually('the predictions are on disk', async () => {
    for (const name of await readdir(spool).catch(() => [])) {
      const file = path.join(spool, name);
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
      if (lines.reduce((rows, line) => rows + rowsOfLine(line), 0) === 40) return file;
    }
    return undefined;
  });
  const status = statusSchema.parse(await (await fetch(`${first.url}/v1/status`)).json());
  const children = status.versions.map((version) => version.process.processId);
  first.child.kill('SIGKILL');
  await first.exit;
  await eventually('its processes end with it', () => children.every((processId) => !isAlive(processId)));
  await appendFile(segment, '{"block":1,"rows":1,"environment":"production","ids":"torn');

  const nowhere = `127.0.0.1:${await freePort()}`;
  const second = await startGateway(home, {
    PERDURE_DATABASE_URL: `postgres://nobody@${nowhere}/none`,
    PERDURE_S3_ENDPOINT: `http://${nowhere}`,
  });
  answers.push(...(await Promise.all(Array.from({ length: 10 }, (_, index) => ask(second.url, `n-${index}`)))));
  expect(answers.at(-1)).toMatchObject({ version: 2 });
  second.child.kill('SIGTERM');
  expect(await second.exit).toBe(0);

  const third = await startGateway(home);
  const ids = new Set(answers.map((answer) => answer.predictionId));
  const mine = async () =>
    (await shipped('predictions/production/flight-delay/')).filter((id) => ids.has(id) || id === 'torn');
  await eventually('all predictions are in the object store', async () => (await mine()).length >= ids.size);
  expect(await mine()).toEqual([...ids].sort());
  await eventually('the torn line is counted', async () =>
    /rows_lost_total\{log="predictions",reason="torn".*\} 1/.test(await (await fetch(`${third.url}/metrics`)).text()),
  );
  third.child.kill('SIGTERM');
  expect(await third.exit).toBe(0);
});

test('two gateways of one environment on one machine acknowledge each epoch for themselves, answer alike by both protocols, and stay who they are after a restart', async () => {
  const homes = [path.join(folder, 'left'), path.join(folder, 'right')];
  const both = (epoch: number) =>
    eventually(
      `both have acknowledged epoch ${epoch}`,
      async () => {
        const live = await liveGateways(db, 'production', 'flight-delay');
        const done = live.filter((one) => one.epoch === epoch && one.error === null).map((one) => one.id);
        return done.length === 2 && done.sort();
      },
      60_000,
    );
  const answersOf = async ({ url, grpcAddress }: Running) => {
    const client = new GrpcClient(grpcAddress);
    try {
      // REST answers a moment before gRPC is opened.
      await eventually('gRPC answers', () => client.infer(rawRequest([exampleRow])).catch(() => false as const));
      const ids = Array.from({ length: 20 }, (_, index) => `two-${index}`);
      const rest = await Promise.all(ids.map(async (id) => (await ask(url, id)).version));
      const grpc = await Promise.all(
        ids.map(async (id) => (await client.infer(rawRequest([exampleRow], { id }))).response.modelVersion),
      );
      expect(grpc.map(Number)).toEqual(rest);
      return rest;
    } finally {
      client.close();
    }
  };
  const epoch = await route([
    { version: 1, sharePct: 50 },
    { version: 2, sharePct: 50 },
  ]);
  const [left, right] = await Promise.all(homes.map((home) => startGateway(home)));
  if (left === undefined || right === undefined) throw new Error('two homes, two gateways');
  const names = await both(epoch);
  const answers = await answersOf(left);
  expect(await answersOf(right)).toEqual(answers);
  expect(new Set(answers)).toEqual(new Set([1, 2]));

  left.child.kill('SIGTERM');
  right.child.kill('SIGKILL');
  expect(await left.exit).toBe(0);
  await right.exit;
  const next = await route([{ version: 2, sharePct: 100 }]);
  const restarted = await Promise.all(homes.map((home) => startGateway(home)));
  expect(await both(next)).toEqual(names);
  for (const gateway of restarted) expect(new Set(await answersOf(gateway))).toEqual(new Set([2]));
}, 240_000);
