import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { thresholdOutOfFold } from '../../../activities/training/threshold-out-of-fold.js';
import { fileSha256 } from '../../../adapters/verified-file-cache.js';
import { runTrainer, trainerFor } from '../../../adapters/trainer/trainer.js';
import type { TrainerSpec } from '../../../domain/training/trainer.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { metricsOnHoldout, readColumns } from './parity.js';
import { smallSpec, writeSmallParquet } from './small-parquet.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const outOfFold = { folds: 3, seed: 7 };
const policy = { ...flightDelay.evaluation, threshold: 'best-f1' as const };
let folder: string;
let files: { train: string; holdout: string };
let attempts = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-out-of-fold-'));
  files = await writeSmallParquet(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (changes: Partial<TrainerSpec>) =>
  runTrainer({
    ...trainerFor('lightgbm', projectRoot),
    spec: smallSpec(files, { parameters: { num_iterations: 60 }, ...changes }),
    outDir: path.join(folder, `out-${(attempts += 1)}`),
    timeoutMs: 120_000,
    memoryMb: 2048,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });

let scored: ReturnType<typeof train> | undefined;
/** Trained once, for all that ask what it is like. */
const trainedOutOfFold = () => (scored ??= train({ outOfFold }));

async function madeOf(query: string, name: string): Promise<string> {
  const file = path.join(folder, name);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  return file;
}

it('each training row is scored by a model that has not seen it, the same whatever the threads, and the model stays', async () => {
  const plain = await train({});
  const first = await trainedOutOfFold();
  const second = await train({ outOfFold, threads: 1 });
  expect(plain.outOfFoldPath).toBeNull();
  expect(first.modelSha256).toBe(plain.modelSha256);
  const [chances, again] = [first.outOfFoldPath ?? '', second.outOfFoldPath ?? ''];
  expect(await fileSha256(again)).toBe(await fileSha256(chances));
  // Half the labels are noise at the border: who knows the rows by heart does better than on rows it has not seen.
  const unseen = await metricsOnHoldout(chances, files.train, 'late');
  const held = await metricsOnHoldout(first.nativePath, files.holdout, 'late');
  expect(unseen.rocAuc).toBeGreaterThan(0.85);
  expect(Math.abs(unseen.rocAuc - held.rocAuc)).toBeLessThan(0.03);
  expect(first.report.trainMetrics['rocAuc'] ?? 0).toBeGreaterThan(unseen.rocAuc + 0.02);
}, 120_000);

it('the threshold is the best of all by F1 on those rows', async () => {
  const { outOfFoldPath } = await trainedOutOfFold();
  const read = { label: 'late', trainFiles: [files.train], outOfFoldPath: outOfFoldPath ?? '', folder };
  const threshold = await thresholdOutOfFold({ policy, ...read });
  const [chances = []] = await readColumns(outOfFoldPath ?? '', ['probability']);
  const [labels = []] = await readColumns(files.train, ['late']);
  const f1 = (from: number) => {
    const said = labels.map((late, row) => ({ late: late === true, yes: Number(chances[row]) >= from }));
    const hits = said.filter(({ late, yes }) => late && yes).length;
    return (2 * hits) / (said.filter(({ late }) => late).length + said.filter(({ yes }) => yes).length);
  };
  const best = Math.max(...[...new Set(chances.map(Number))].filter((_, index) => index % 7 === 0).map(f1));
  expect(threshold).toBeGreaterThan(0.05);
  expect(f1(threshold)).toBeGreaterThanOrEqual(best);
}, 120_000);

it('a trainer that writes other rows, or what is no chance, is told so', async () => {
  const few = await madeOf('SELECT 0.5 AS probability FROM range(7)', 'few.parquet');
  const read = { policy, label: 'late', trainFiles: [files.train], folder };
  await expect(thresholdOutOfFold({ ...read, outOfFoldPath: few })).rejects.toMatchObject({
    code: 'training/failed',
    message: expect.stringContaining('7 rows'),
  });
  const rows = (await readColumns(files.train, ['late']))[0]?.length ?? 0;
  const wild = await madeOf(
    `SELECT CASE WHEN i = 3 THEN 1.5 ELSE 0.5 END AS probability FROM range(${rows}) r(i)`,
    'wild',
  );
  await expect(thresholdOutOfFold({ ...read, outOfFoldPath: wild })).rejects.toMatchObject({
    message: expect.stringMatching(/row 3 .* is 1\.5/),
  });
});

it('one row of a class is too few to choose on, and the message says what to do', async () => {
  const one = await madeOf(
    `SELECT * REPLACE (i = (SELECT min(i) FROM '${files.train}') AS late) FROM '${files.train}'`,
    'one.parquet',
  );
  await expect(train({ trainFiles: [one], outOfFold })).rejects.toMatchObject({
    code: 'data/invalid',
    message: expect.stringMatching(/Only one training row .*evaluation\.threshold/),
  });
}, 60_000);
