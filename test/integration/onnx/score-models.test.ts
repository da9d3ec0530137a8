import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withMetricsOfTheTeam } from '../../../activities/evaluation/team-metrics.js';
import type { EvaluationRequest } from '../../../adapters/onnx/evaluation-request.js';
import { scoreModels } from '../../../adapters/onnx/score-models.js';
import { evaluationPolicySchema } from '../../../domain/evaluation/evaluation-policy.js';
import { evaluationSchema } from '../../../domain/evaluation/evaluation.js';
import { decideGates } from '../../../domain/evaluation/gate.js';
import { embeddingOf, multiclass, ranking, regression, type TaskModel } from '../serving/task-models.js';

let folder: string;
const policy = (...gates: object[]) =>
  evaluationPolicySchema.parse({ bootstrapRounds: 200, slices: ['x'], gates: gates.map((gate) => ({ ...gate })) });

/** 400 rows in 40 groups, x from −2 to 2 in 21 values. */
const source =
  'SELECT i AS id, i // 10 AS person, CAST(((i * 37) % 21 - 10) / 5.0 AS FLOAT) AS x, i FROM range(400) t(i)';

async function parquet(name: string, select: string): Promise<{ path: string; sha256: string }> {
  const file = path.join(folder, `${name}.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT ${select} FROM (${source}) ORDER BY i) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  return digested(file);
}
const digested = async (file: string) => ({
  path: file,
  sha256: createHash('sha256')
    .update(await readFile(file))
    .digest('hex'),
});

async function requestOf(
  { definition, bytes }: TaskModel,
  label: string,
  native: string | null,
  gates: object[],
): Promise<EvaluationRequest> {
  const name = definition.name;
  const artifact = path.join(folder, `${name}.onnx`);
  await writeFile(artifact, bytes);
  return {
    task: definition.task,
    candidate: await digested(artifact),
    champion: null,
    holdout: [await parquet(`${name}-holdout`, label === '' ? 'id, x' : `id, person, x, ${label} AS y`)],
    contract: definition.contract,
    policy: policy(...gates),
    native: native === null ? null : { path: (await parquet(`${name}-native`, native)).path },
  };
}
const scored = async (request: EvaluationRequest) => evaluationSchema.parse(await scoreModels(request, () => {}));

beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'perdure-test-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('scoreModels', () => {
  it('scores a regression with its quantiles, gates it and compares it with a champion on the same rows', async () => {
    // The model says 2x + 1, with quantiles 3 below and 4 above; labels are off by −1, 0 or 1, and by 10 in every 10th.
    const off = `CASE WHEN i % 10 = 0 THEN 10 ELSE i % 3 - 1 END`;
    const value = '2 * x + 1';
    const request = await requestOf(
      regression,
      `${value} + ${off}`,
      `${value} AS value, ${value} - 3 AS quantile_0, ${value} AS quantile_1, ${value} + 4 AS quantile_2`,
      [
        { name: 'close', metric: 'mae', atMost: 2 },
        { name: 'covers enough', metric: 'intervalCoverage', atLeast: 0.8 },
        { name: 'its 90 %', metric: 'pinball', quantile: 0.9, atMost: 5 },
        { name: 'no worse', metric: 'rmse', worseThanChampionByAtMost: 0 },
      ],
    );
    const evaluation = await scored({ ...request, champion: { ...request.candidate, version: 1 } });
    // By hand: of 400 rows 40 are off by 10, of the other 360 two of three by 1.
    expect(evaluation.overall).toMatchObject({ rows: 400, metrics: { intervalCoverage: 0.9 } });
    expect(evaluation.overall.metrics.mae).toBeCloseTo((40 * 10 + 240) / 400, 6);
    expect(evaluation.overall.metrics.intervalWidth).toBeCloseTo(7, 6);
    expect(evaluation.threshold).toBeNull();
    expect(evaluation.parityMaxDifference).toBeLessThan(1e-6);
    expect(evaluation.coverage?.map(({ quantile }) => quantile)).toEqual([0.1, 0.5, 0.9]);
    expect(evaluation.comparison?.differences.rmse).toEqual({
      estimate: 0,
      interval: { low: 0, high: 0, confidencePct: 95 },
    });
    expect(evaluation.slices.length).toBeGreaterThan(10);
    const { results } = decideGates({ task: 'regression', evaluation: request.policy }, evaluation);
    expect(results.map(({ name, metric, outcome }) => [name, metric, outcome])).toEqual([
      ['ONNX matches the native model', 'parityMaxDifference', 'pass'],
      ['close', 'mae', 'pass'],
      ['covers enough', 'intervalCoverage', 'pass'],
      ['its 90 %', 'pinball@0.9', 'pass'],
      ['no worse', 'rmse', 'pass'],
    ]);
  });

  it('adds metrics of the team in SQL, level by level where a gate asks, and gates them', async () => {
    const value = '2 * x + 1';
    const request = await requestOf(regression, `${value} + CASE WHEN i % 10 = 0 THEN 10 ELSE 1 END`, null, []);
    const metrics = {
      tooLow: { sql: 'avg(CASE WHEN label > quantile_2 THEN 1 ELSE 0 END)', direction: 'lower-is-better' as const },
    };
    const gates = [
      { name: 'seldom too low', metric: 'tooLow', atMost: 0.2 },
      { name: 'no worse', metric: 'tooLow', worseThanChampionByAtMost: 0 },
      { name: 'nowhere', metric: 'tooLow', atMost: 0.05, slice: 'x', minRows: 10 },
    ];
    const asked = { ...request.policy, ...policy(...gates), metrics };
    const scoresPath = path.join(folder, 'scores.parquet');
    const evaluation = evaluationSchema.parse(
      await withMetricsOfTheTeam({
        evaluation: await scored({
          ...{ ...request, policy: asked, scoresPath },
          champion: { ...request.candidate, version: 1 },
        }),
        definition: { ...regression.definition, evaluation: asked },
        ...{ classes: undefined, scoresPath, files: request.holdout.map((file) => file.path), workDir: folder },
        ...{ signal: new AbortController().signal, report: () => {} },
      }),
    );
    expect(evaluation.overall.metrics).toMatchObject({ tooLow: 0.1, mae: expect.any(Number) });
    expect(evaluation.comparison?.differences.tooLow).toMatchObject({ estimate: 0, interval: { low: 0, high: 0 } });
    const { results } = decideGates({ task: 'regression', evaluation: asked }, evaluation);
    expect(results.slice(1).map(({ metric, outcome }) => [metric, outcome])).toEqual([
      ['tooLow', 'pass'],
      ['tooLow', 'pass'],
      ['tooLow', expect.stringMatching(/fail|inconclusive/)],
    ]);
    expect(results[3]?.levels?.length).toBeGreaterThan(10);
  });

  it('scores classes by name, and a champion that lists other ones in another order', async () => {
    const label = `CASE WHEN x > 0.4 THEN 'blue' WHEN x < -0.4 THEN 'red' ELSE 'grün' END`;
    const powers = '(exp(-x) + exp(x / 2) + exp(x))';
    const native =
      `exp(-x) / ${powers} AS probability_0, exp(x / 2) / ${powers} AS probability_1, ` +
      `exp(x) / ${powers} AS probability_2`;
    const request = await requestOf(multiclass, label, native, [{ name: 'g', metric: 'macroF1', atLeast: 0.1 }]);
    const evaluation = await scored({
      ...request,
      champion: {
        ...request.candidate,
        version: 1,
        own: { contract: { ...request.contract, label: { name: 'y', type: 'string' } }, holdout: request.holdout },
        classes: ['blue', 'violet', 'red'],
      },
    });
    expect(evaluation.parityMaxDifference).toBeLessThan(1e-6);
    expect(evaluation.confusion?.classes).toEqual(['red', 'grün', 'blue']);
    expect(evaluation.confusion?.counts.flat().reduce((sum, count) => sum + count, 0)).toBe(400);
    expect(evaluation.overall.metrics).toHaveProperty('f1:grün');
    // To the champion, red is what blue is to the candidate, and it never says grün.
    expect(evaluation.comparison?.champion['rocAuc:red']).toBe(1 - (evaluation.overall.metrics['rocAuc:red'] ?? 0));
    expect(evaluation.comparison?.champion['f1:grün']).toBe(0);
  });

  it('scores a ranking by its groups', async () => {
    const request = await requestOf(ranking, 'CASE WHEN x > 1 AND person <> 3 THEN 2 ELSE 0 END', null, [
      { name: 'g', metric: 'ndcg', k: 3, atLeast: 0.5 },
    ]);
    const evaluation = await scored(request);
    expect(Object.keys(evaluation.overall.metrics)).toEqual(expect.arrayContaining(['ndcg@3', 'ndcg@10', 'mrr']));
    expect(evaluation.overall).toMatchObject({ rows: 400 });
    expect(evaluation.overall.groups).toBeLessThan(40);
    expect(evaluation.gainCurve?.[0]?.k).toBe(1);
  });

  it('has nothing to measure of an embedding but its vectors, and gates its parity', async () => {
    const request = await requestOf(embeddingOf(3), '', null, []);
    const evaluation = await scored(request);
    expect(evaluation).toMatchObject({ overall: { rows: 400, metrics: {}, intervals: {} }, threshold: null });
    expect(evaluation.norms?.greatest).toBeGreaterThan(0);
    const { results } = decideGates({ task: 'embedding', evaluation: request.policy }, evaluation);
    expect(results.map(({ outcome }) => outcome)).toEqual(['no-data']);
  });

  it.each([
    [regression, "'NaN'::DOUBLE", 'has the label y NaN, not a finite number'],
    [regression, 'NULL::DOUBLE', 'has no label y'],
    [multiclass, `CASE WHEN i = 7 THEN 'violet' ELSE 'red' END`, 'the label y violet, a class that the model was not'],
    [ranking, '-1', 'the label y -1: a relevance is 0 or greater'],
  ])('refuses a label that the task cannot have: %#', async (model, label, problem) => {
    const gate = { name: 'g', metric: 'mae', atMost: 1 };
    await expect(scored(await requestOf(model, label, null, [gate]))).rejects.toMatchObject({
      code: 'data/invalid',
      message: expect.stringContaining(problem),
    });
  });

  it('refuses native predictions of other rows, and ones that are no numbers', async () => {
    const request = await requestOf(
      regression,
      'x',
      "2 * x + 1 AS value, 'NaN'::DOUBLE AS quantile_0, x AS quantile_1, x AS quantile_2",
      [],
    );
    await expect(scored(request)).rejects.toMatchObject({
      code: 'training/failed',
      message: expect.stringContaining('quantile_0 of holdout row 0 is not a number'),
    });
  });
});
