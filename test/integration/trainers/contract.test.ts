import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInTrainer, runTrainer, trainerEnvironmentDigest, trainerFor } from '../../../adapters/trainer/trainer.js';
import type { TrainerProgress, TrainerSpec } from '../../../domain/training/trainer.js';
import { algorithmSchema } from '../../../domain/training/training-policy.js';
import {
  binaryColumns,
  greatestDifference,
  metricsOnHoldout,
  multiclassColumns,
  numbersOf,
  rankingColumns,
  readColumns,
  regressionColumns,
  scoreParquet,
} from './parity.js';
import { smallSpec, writeSmallParquet } from './small-parquet.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const parityMax = 1e-5;
let folder: string;
let files: { train: string; holdout: string };
let attempts = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-trainer-'));
  files = await writeSmallParquet(folder);
  await programFor(smallSpec(files, { algorithm: 'catboost' }));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const programs = new Map<string, ReturnType<typeof builtInTrainer>>();

/** With its environment, which for CatBoost is made once and stays in `.tools`. */
function programFor({ algorithm }: TrainerSpec): ReturnType<typeof builtInTrainer> {
  const known = algorithmSchema.parse(algorithm);
  const home = path.join(projectRoot, '.tools');
  const { signal } = new AbortController();
  const made =
    programs.get(known) ?? builtInTrainer({ algorithm: known, projectRoot, home, signal, report: () => undefined });
  programs.set(known, made);
  return made;
}

const train = async (
  spec: TrainerSpec,
  onProgress: (progress: TrainerProgress) => void = () => undefined,
  programDir?: string,
) =>
  runTrainer({
    ...(await programFor(spec)),
    ...(programDir === undefined ? {} : { programDir }),
    spec,
    outDir: path.join(folder, `out-${(attempts += 1)}`),
    timeoutMs: 120_000,
    memoryMb: 2048,
    signal: new AbortController().signal,
    onProgress,
  });

const refusal = (spec: TrainerSpec) =>
  train(spec).then(
    () => expect.fail('the trainer accepted it'),
    (error: unknown) => error,
  );

const algorithms: [string, Partial<TrainerSpec>][] = [
  ['lightgbm', { algorithm: 'lightgbm' }],
  ['xgboost', { algorithm: 'xgboost' }],
  ['catboost', { algorithm: 'catboost' }],
  ['sklearn boosting', { algorithm: 'sklearn' }],
  ['sklearn logistic regression', { algorithm: 'sklearn', parameters: { estimator: 'logistic-regression' } }],
];

/** Where one estimator is for classes, the other that is for numbers. */
const linear = (parameters: TrainerSpec['parameters'] = {}): TrainerSpec['parameters'] =>
  parameters['estimator'] === 'logistic-regression' ? { ...parameters, estimator: 'ridge' } : parameters;

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each(algorithms)('%s', (name, changes) => {
  const phases = new Set<string>();
  let made: ReturnType<typeof train> | undefined;
  /** Trained once, for all that ask what it is like. */
  const trained = () => (made ??= train(smallSpec(files, changes), ({ phase }) => phases.add(phase)));

  it(
    'answers in ONNX as natively on every holdout row, strings, nulls and unseen levels included',
    { timeout: 120_000 },
    async () => {
      const spec = smallSpec(files, changes);
      const result = await trained();
      const onnx = await scoreParquet(result.modelPath, files.holdout, spec.features);
      expect(await greatestDifference(onnx.outputs, result.nativePath, binaryColumns)).toBeLessThanOrEqual(parityMax);
      expect(onnx.inputNames).toEqual(['city', 'remark', 'size', 'wind']);
      expect(onnx.outputs['label']).toMatchObject({ dims: [onnx.rows], type: 'int64' });
      expect(numbersOf(onnx.outputs, 'probabilities').dims).toEqual([onnx.rows, 2]);
      expect(result.report).toMatchObject({ rowsHeldOut: onnx.rows, classes: [0, 1], algorithm: spec.algorithm });
      const measured = await metricsOnHoldout(result.nativePath, files.holdout, 'late');
      expect(measured.rocAuc).toBeGreaterThan(0.85);
      expect(result.report.featureImportances.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      expect([...phases]).toEqual(['load', 'fit', 'convert', 'verify', 'write']);
      expect(createHash('sha256').update(readFileSync(result.modelPath)).digest('hex')).toBe(result.modelSha256);
    },
  );

  it(
    'gives the same bytes for the same specification, whatever the number of threads',
    { timeout: 120_000 },
    async () => {
      const digests = new Set([(await trained()).modelSha256]);
      digests.add((await train(smallSpec(files, { ...changes, threads: 1 }))).modelSha256);
      expect(digests.size).toBe(1);
    },
  );

  it.each([
    ['strings', { name: 'band', type: 'string' as const }, ['large', 'middle', 'small'], 'string'],
    ['whole numbers with given classes', { name: 'grade', type: 'integer' as const, classes: [7, 3] }, [7, 3], 'int64'],
  ])('keeps parity with labels that are %s', { timeout: 120_000 }, async (_case, label, classes, type) => {
    const spec = smallSpec(files, { ...changes, task: 'multiclass', label });
    const result = await train(spec);
    const onnx = await scoreParquet(result.modelPath, files.holdout, spec.features);
    expect(result.report.classes).toEqual(classes);
    const columns = multiclassColumns(classes.length);
    expect(await greatestDifference(onnx.outputs, result.nativePath, columns)).toBeLessThanOrEqual(parityMax);
    expect(onnx.outputs['label']?.type).toBe(type);
    const [truth = []] = await readColumns(files.holdout, [label.name]);
    const right = truth.filter((value, row) => String(value) === String(onnx.outputs['label']?.data[row])).length;
    expect(right / truth.length).toBeGreaterThan(0.85);
  });

  it('answers with a number and its quantiles in order', { timeout: 120_000 }, async () => {
    const quantiles = name.includes('regression') ? undefined : [0.1, 0.5, 0.9];
    const spec = smallSpec(files, {
      ...changes,
      parameters: linear(changes.parameters),
      task: 'regression',
      label: { name: 'cost', type: 'number' },
      ...(quantiles && { quantiles }),
    });
    const result = await train(spec);
    const { outputs, rows } = await scoreParquet(result.modelPath, files.holdout, spec.features);
    const width = quantiles?.length ?? 0;
    expect(await greatestDifference(outputs, result.nativePath, regressionColumns(width))).toBeLessThanOrEqual(1e-6);
    const [costs = []] = (await readColumns(files.holdout, ['cost'])).map((column) => column.map(Number));
    const { data: values, dims } = numbersOf(outputs, 'value');
    expect(dims).toEqual([rows, 1]);
    // The noise is a thousand wide: nothing does better than 250.
    expect(mean(costs.map((cost, row) => Math.abs(cost - (values[row] ?? NaN))))).toBeLessThan(330);
    expect(result.report.classes).toBeUndefined();
    if (!quantiles) return expect(Object.keys(outputs)).toEqual(['value']);
    const { data } = numbersOf(outputs, 'quantiles');
    const rowOf = (row: number) => [...data.subarray(row * width, (row + 1) * width)];
    expect(costs.every((_, row) => rowOf(row).every((one, at, all) => at === 0 || one >= (all[at - 1] ?? 0)))).toBe(
      true,
    );
    const inside = costs.map((cost, row) => Number(cost >= (rowOf(row)[0] ?? NaN) && cost <= (rowOf(row)[2] ?? NaN)));
    // Two hundred rounds on three thousand rows know them too well: the interval is somewhat narrow on others.
    expect(Math.abs(mean(inside) - 0.8)).toBeLessThan(0.2);
  });

  it('puts the rows of a group in order', { timeout: 120_000 }, async () => {
    const spec = smallSpec(files, {
      ...changes,
      parameters: linear(changes.parameters),
      task: 'ranking',
      group: 'query',
      label: { name: 'relevance', type: 'integer' },
    });
    const result = await train(spec);
    const { outputs, rows } = await scoreParquet(result.modelPath, files.holdout, spec.features);
    expect(await greatestDifference(outputs, result.nativePath, rankingColumns)).toBeLessThanOrEqual(1e-6);
    const [queries = [], relevance = []] = await readColumns(files.holdout, ['query', 'relevance']);
    const { data: scores, dims } = numbersOf(outputs, 'score');
    expect(dims).toEqual([rows, 1]);
    const pairs = queries.flatMap((query, row) =>
      queries
        .flatMap((other, place) => (other === query ? [place] : []))
        .filter((place) => Number(relevance[place]) > Number(relevance[row]))
        .map((place) => Number((scores[place] ?? NaN) > (scores[row] ?? NaN))),
    );
    expect(pairs.length).toBeGreaterThan(1000);
    expect(mean(pairs)).toBeGreaterThan(0.9);
  });

  it('names a parameter that it does not know', { timeout: 60_000 }, async () => {
    expect(
      await refusal(smallSpec(files, { ...changes, parameters: { ...changes.parameters, number_of_leafs: 3 } })),
    ).toMatchObject({
      code: 'definition/invalid',
      message: expect.stringContaining('parameters.number_of_leafs'),
    });
  });
});

describe('what a trainer refuses', () => {
  it.each<[string, Partial<TrainerSpec>, string, RegExp]>([
    [
      'a parameter out of range',
      { parameters: { learning_rate: 7 } },
      'definition/invalid',
      /parameters\.learning_rate is 7/,
    ],
    [
      'a label column that is not there',
      { label: { name: 'lateness', type: 'boolean' } },
      'data/invalid',
      /train\.parquet has no column lateness/,
    ],
    [
      'a label value outside the classes',
      { task: 'multiclass', label: { name: 'grade', type: 'integer', classes: [3, 4] } },
      'data/invalid',
      /grade has the value 7/,
    ],
    [
      'a class that no training row has',
      { task: 'multiclass', label: { name: 'grade', type: 'integer', classes: [3, 7, 9] } },
      'data/invalid',
      /no training row is of the class 9/,
    ],
    [
      'a label that is not of its task',
      {
        task: 'regression',
        features: [{ name: 'size', type: 'number', nullable: true }],
        label: { name: 'query', type: 'number' },
      },
      'data/invalid',
      /label query is number in the specification and string in the file/,
    ],
    [
      'groups of one row each',
      { task: 'ranking', group: 'i', label: { name: 'relevance', type: 'integer' } },
      'data/invalid',
      /No i has two training rows with different relevance/,
    ],
    [
      'missing values where none may be',
      { features: [{ name: 'wind', type: 'number', nullable: false }] },
      'data/invalid',
      /wind is missing in \d+ rows/,
    ],
    [
      'text where a number should be',
      { features: [{ name: 'city', type: 'number', nullable: true }] },
      'data/invalid',
      /number feature city/,
    ],
    [
      'a file that is not there',
      { trainFiles: ['/nowhere/a.parquet'] },
      'data/unreadable',
      /a\.parquet cannot be read/,
    ],
    ['a specification that breaks the schema', { trainFiles: [] }, 'input/invalid', /trainFiles/],
  ])('%s', { timeout: 60_000 }, async (_case, changes, code, message) => {
    expect(await refusal(smallSpec(files, changes))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('training rows with one label only', { timeout: 60_000 }, async () => {
    const oneClass = path.join(folder, 'one-class.parquet');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`COPY (SELECT * FROM '${files.train}' WHERE late) TO '${oneClass}' (FORMAT parquet)`);
    connection.closeSync();
    expect(await refusal(smallSpec(files, { trainFiles: [oneClass] }))).toMatchObject({
      code: 'data/invalid',
      message: expect.stringContaining('late = 1'),
    });
  });
});

it('leaves nothing but its files behind, and nothing beside the program', { timeout: 60_000 }, async () => {
  const programDir = path.join(folder, 'program');
  cpSync(path.join(projectRoot, 'trainers/tabular/perdure_trainer'), path.join(programDir, 'perdure_trainer'), {
    recursive: true,
    filter: (file) => !file.endsWith('__pycache__'),
  });
  const programBefore = readdirSync(programDir, { recursive: true });
  const result = await train(smallSpec(files, { parameters: { num_iterations: 3 } }), () => undefined, programDir);
  expect(readdirSync(path.dirname(result.modelPath)).sort()).toEqual([
    'holdout-native.parquet',
    'model.onnx',
    'result.json',
    'spec.json',
  ]);
  expect(readdirSync(programDir, { recursive: true })).toEqual(programBefore);
});

it('gives a model even where no split helps', { timeout: 60_000 }, async () => {
  const spec = smallSpec(files, { parameters: { min_data_in_leaf: 100_000 } });
  const result = await train(spec);
  const onnx = await scoreParquet(result.modelPath, files.holdout, spec.features);
  expect(await greatestDifference(onnx.outputs, result.nativePath, binaryColumns)).toBeLessThanOrEqual(parityMax);
  expect(result.report.featureImportances.every(({ share }) => share === 0)).toBe(true);
});

it('describes its environment by a digest that repeats', async () => {
  const program = trainerFor('lightgbm', projectRoot);
  const digest = await trainerEnvironmentDigest(program);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(await trainerEnvironmentDigest(program)).toBe(digest);
  expect(
    await trainerEnvironmentDigest({ ...program, lockFile: path.join(program.programDir, 'requirements.in') }),
  ).not.toBe(digest);
});
