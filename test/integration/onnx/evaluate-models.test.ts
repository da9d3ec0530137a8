import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { evaluateModels } from '../../../adapters/onnx/evaluate-models.js';
import { holdoutDigest, type DigestedFile, type EvaluationRequest } from '../../../adapters/onnx/evaluation-request.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { evaluationSchema } from '../../../domain/evaluation/evaluation.js';
import { evaluationPolicySchema } from '../../../domain/evaluation/evaluation-policy.js';
import { bytes, floatTensor, graph, logisticGraph, model, number, valueInfo, type Graph } from './onnx-builder.js';

const timeoutMs = 60_000;
const contract = contractSchema.parse({
  entity: ['id'],
  eventTime: 'at',
  label: { name: 'late', type: 'boolean' },
  features: { carrier: { type: 'string', nullable: true }, x: { type: 'number', nullable: true } },
});
const policy = evaluationPolicySchema.parse({
  slices: ['carrier', 'x'],
  bootstrapRounds: 100,
  gates: [{ name: 'ranks', metric: 'rocAuc', atLeast: 0.5, slice: 'carrier', minRows: 50 }],
});

let folder: string;
let request: EvaluationRequest;

const file = async (name: string, content: Uint8Array): Promise<DigestedFile> => {
  const place = path.join(folder, name);
  await writeFile(place, content);
  return { path: place, sha256: createHash('sha256').update(content).digest('hex') };
};
const digested = async (place: string): Promise<DigestedFile> => ({
  path: place,
  sha256: createHash('sha256')
    .update(await readFile(place))
    .digest('hex'),
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-test-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  // 10,000 rows: x from −3 to 3, missing in every 50th row; AA is late more often than UA, of HA there are only 20
  // rows, and some carriers are missing.
  await connection.run(`CREATE TABLE rows AS SELECT i AS id,
    CASE WHEN i % 500 = 0 THEN 'HA' WHEN i % 97 = 0 THEN NULL WHEN i % 2 = 0 THEN 'AA' ELSE 'UA' END AS carrier,
    CASE WHEN i % 50 = 7 THEN NULL ELSE ((i * 7919) % 6001) / 1000.0 - 3 END AS x,
    ((i * 104729) % 10007) / 10007.0 < 1 / (1 + exp(-(((i * 7919) % 6001) / 1000.0 - 3))) AS late
    FROM range(10000) t(i)`);
  await connection.run(
    `COPY (SELECT * FROM rows WHERE id < 6000 ORDER BY id) TO '${folder}/a.parquet' (FORMAT parquet)`,
  );
  await connection.run(
    `COPY (SELECT * FROM rows WHERE id >= 6000 ORDER BY id) TO '${folder}/b.parquet' (FORMAT parquet)`,
  );
  await connection.run(`COPY (SELECT 1 / (1 + exp(-(coalesce(x, 0) + CASE carrier WHEN 'AA' THEN 0.5 WHEN 'UA'
    THEN -0.5 ELSE 0 END))) AS probability
    FROM rows ORDER BY id) TO '${folder}/native.parquet' (FORMAT parquet)`);
  await connection.run(
    `COPY (SELECT id, carrier, x, true AS late FROM rows WHERE id < 100) TO '${folder}/one-class.parquet' ` +
      '(FORMAT parquet)',
  );
  await connection.run(
    'COPY (SELECT id, carrier, x, CASE WHEN id = 5 THEN NULL ELSE late END AS late FROM rows WHERE id < 100) ' +
      `TO '${folder}/unlabelled.parquet' (FORMAT parquet)`,
  );
  connection.closeSync();
  request = {
    candidate: await file('candidate.onnx', model(logisticGraph())),
    champion: { ...(await file('champion.onnx', model(logisticGraph({ slope: 0.3 })))), version: 4 },
    holdout: [await digested(`${folder}/a.parquet`), await digested(`${folder}/b.parquet`)],
    contract,
    policy,
    native: { path: `${folder}/native.parquet` },
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A model that turns in a loop of 2^62 rounds before it answers. */
function endlessGraph(): Graph {
  const body = graph({
    nodes: [
      { op: 'Identity', inputs: ['condition'], outputs: ['again'] },
      { op: 'Add', inputs: ['sum', 'one'], outputs: ['more'] },
    ],
    inputs: [valueInfo('round', 7, []), valueInfo('condition', 9, []), valueInfo('sum', 1, [1])],
    outputs: [valueInfo('again', 9, []), valueInfo('more', 1, [1])],
    initializers: [floatTensor('one', [1])],
  });
  const main = logisticGraph();
  const rounds = [
    ...number(2, 7),
    ...Buffer.from([0x42, 6, ...Buffer.from('rounds')]),
    ...bytes(9, [0, 0, 0, 0, 0, 0, 0, 64]),
  ];
  return {
    ...main,
    nodes: [
      { op: 'Loop', inputs: ['rounds', '', 'zero'], outputs: ['end'], attributes: { body: { graph: body } } },
      ...main.nodes,
    ].map((node) => (node.op === 'Where' ? { ...node, inputs: ['missing', 'end', 'x'] } : node)),
    initializers: [...(main.initializers ?? []), rounds],
  };
}

describe('evaluateModels', { timeout: 2 * timeoutMs }, () => {
  it('measures candidate and champion on the same rows, in file order, missing values included', async () => {
    const steps: string[] = [];
    const evaluation = evaluationSchema.parse(
      await evaluateModels(request, { timeoutMs, onProgress: (step) => steps.push(step) }),
    );
    expect(evaluation.overall.rows).toBe(10_000);
    expect(evaluation).toMatchObject({
      candidateSha256: request.candidate.sha256,
      championSha256: request.champion?.sha256,
      championVersion: 4,
      holdoutSha256: holdoutDigest(request.holdout),
      threshold: 0.5,
    });
    // The native probabilities were computed by DuckDB in double precision: equality shows that rows kept their order
    // and missing values their meaning.
    expect(evaluation.parityMaxDifference).toBeLessThan(1e-6);
    expect(evaluation.comparison?.differences.logLoss?.interval.high).toBeLessThan(0);
    expect(evaluation.comparison?.champion.logLoss).toBeGreaterThan(evaluation.overall.metrics.logLoss ?? Infinity);
    expect(new Set(steps)).toEqual(new Set(['start', 'check', 'score', 'measure']));
    const carriers = evaluation.slices.filter((slice) => slice.feature === 'carrier');
    expect(carriers.map(({ level }) => level).sort()).toEqual(['(missing)', 'AA', 'HA', 'UA']);
    expect(carriers.reduce((rows, slice) => rows + slice.scored.rows, 0)).toBe(10_000);
    expect(carriers.find(({ level }) => level === 'HA')?.scored).toMatchObject({ rows: 20, intervals: {} });
    expect(carriers.find(({ level }) => level === 'AA')?.scored.intervals.rocAuc).toBeDefined();
    expect(evaluation.slices.filter((slice) => slice.feature === 'x')).toHaveLength(5);
  });

  it('gives the same answer twice', async () => {
    const alone = { ...request, champion: null, native: null };
    const [first, second] = await Promise.all([
      evaluateModels(alone, { timeoutMs }),
      evaluateModels(alone, { timeoutMs }),
    ]);
    expect(first).toEqual(second);
    expect(first).toMatchObject({ championSha256: null, comparison: null, parityMaxDifference: null });
  });

  it('answers with null, never a number, where one class makes a metric meaningless', async () => {
    const evaluation = await evaluateModels(
      { ...request, holdout: [await digested(`${folder}/one-class.parquet`)], native: null },
      { timeoutMs },
    );
    expect(evaluation.overall.metrics).toMatchObject({ rocAuc: null, prAuc: null });
    expect(evaluation.overall.intervals.rocAuc).toBeUndefined();
  });

  it('leaves a champion without comparison that asks for a feature which is gone', async () => {
    const { x } = contract.features;
    const main = logisticGraph();
    const withoutCarrier: Graph = {
      ...main,
      nodes: main.nodes
        .filter((node) => node.op !== 'LabelEncoder')
        .map((node) => (node.op === 'Concat' ? { ...node, inputs: ['filled', 'filled'] } : node)),
      inputs: [valueInfo('x', 1, [null, 1])],
    };
    const evaluation = await evaluateModels(
      {
        ...request,
        candidate: await file('x-only.onnx', model(withoutCarrier)),
        contract: { ...contract, features: { ...(x && { x }) } },
        policy: { ...policy, slices: [] },
        native: null,
      },
      { timeoutMs },
    );
    expect(evaluation.championSha256).toBe(request.champion?.sha256);
    expect(evaluation.comparison).toBeNull();
  });

  it.each([
    [
      'a candidate with another digest',
      () => ({ candidate: { ...request.candidate, sha256: '0'.repeat(64) } }),
      'artifact/digest-mismatch',
    ],
    [
      'a holdout with another digest',
      () => ({ holdout: [{ path: `${folder}/a.parquet`, sha256: '0'.repeat(64) }] }),
      'artifact/digest-mismatch',
    ],
    [
      'a holdout that is not there',
      () => ({ holdout: [{ path: `${folder}/none.parquet`, sha256: '0'.repeat(64) }] }),
      'data/unreadable',
    ],
    [
      'a file that is not Parquet',
      async () => ({ holdout: [await file('c.parquet', Buffer.from('PAR1 nothing PAR1'))] }),
      'data/unreadable',
    ],
    [
      'a row without a label',
      async () => ({ holdout: [await digested(`${folder}/unlabelled.parquet`)] }),
      'data/invalid',
    ],
    [
      'native probabilities of other rows',
      async () => ({ holdout: [await digested(`${folder}/a.parquet`)] }),
      'training/failed',
    ],
    [
      'a model that answers NaN',
      async () => ({ candidate: await file('nan.onnx', model(logisticGraph({ intercept: Number.NaN }))) }),
      'artifact/refused',
    ],
    [
      'a file that is not a model',
      async () => ({ candidate: await file('text.onnx', Buffer.from('not a model')) }),
      'artifact/refused',
    ],
  ])('refuses %s', async (_, change, code) => {
    await expect(evaluateModels({ ...request, ...(await change()) }, { timeoutMs })).rejects.toMatchObject({
      name: 'PerdureError',
      code,
    });
  });

  it('ends a model that never answers, by time limit and by abort, and leaves no folder behind', async () => {
    const endless = { ...request, candidate: await file('endless.onnx', model(endlessGraph())) };
    vi.stubEnv('TMPDIR', await mkdtemp(path.join(folder, 'tmp-')));
    let reached = '';
    const slow = evaluateModels(endless, { timeoutMs: 8000, onProgress: (step) => (reached = step) });
    await expect(slow).rejects.toMatchObject({ code: 'evaluation/timed-out' });
    expect(reached).toBe('score');
    const abort = new AbortController();
    const aborted = evaluateModels(endless, {
      timeoutMs,
      signal: abort.signal,
      onProgress: (step) => step === 'score' && abort.abort(new Error('cancelled')),
    });
    await expect(aborted).rejects.toThrow('cancelled');
    expect(await readdir(tmpdir())).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('ends with its parent, also when that is killed with -9 in the middle of a model', async () => {
    const orders = path.join(folder, 'request.json');
    await writeFile(
      orders,
      JSON.stringify({ ...request, candidate: await file('endless.onnx', model(endlessGraph())) }),
    );
    const program = fileURLToPath(new URL('./abandoned-evaluation.ts', import.meta.url));
    const parent = spawn(process.execPath, ['--import', 'tsx', program, orders], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(parent.stdout)) if (line === 'score') break;
    const children = processes().filter((each) => each.parent === parent.pid);
    expect(children).not.toEqual([]);
    const busySeconds = () =>
      Math.max(
        ...processes().map(
          (each) => each.cpuSeconds - (children.find(({ pid }) => pid === each.pid)?.cpuSeconds ?? Infinity),
        ),
      );
    await expect
      .poll(busySeconds, { timeout: 30_000, interval: 200, message: 'CPU time spent inside the model' })
      .toBeGreaterThanOrEqual(2);
    parent.kill('SIGKILL');
    const alive = () => processes().filter((each) => children.some(({ pid }) => pid === each.pid));
    await expect
      .poll(alive, { timeout: 10_000, interval: 200, message: 'evaluation processes that outlive their parent' })
      .toEqual([]);
  });
});

function processes(): { pid: number; parent: number; cpuSeconds: number }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,time='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, time = '0'] = line.trim().split(/\s+/);
    return {
      pid: Number(pid),
      parent: Number(parent),
      cpuSeconds: time.split(':').reduce((seconds, part) => 60 * seconds + Number(part), 0),
    };
  });
}
