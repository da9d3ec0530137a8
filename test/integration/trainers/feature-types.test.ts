import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readShapedRows } from '../../../adapters/data-engine/snapshot/read-shaped-rows.js';
import { openHoldoutReader } from '../../../adapters/onnx/holdout-reader.js';
import { openModelSession, readModelFile, type ModelSession } from '../../../adapters/onnx/model-session.js';
import { checkTensorInterface } from '../../../adapters/onnx/tensor-interface-check.js';
import { runTrainer, trainerFor } from '../../../adapters/trainer/trainer.js';
import { requestTensor } from '../../../domain/data/feature/model-inputs.js';
import { outputSignature, taskOf } from '../../../domain/tasks/task-of.js';
import type { TrainerSpec } from '../../../domain/training/trainer.js';
import { compileContract } from '../../../inference/compiled-contract.js';
import type { InputTensor } from '../../../inference/input-tensor.js';
import { packRows } from '../../../inference/pack-rows.js';
import { shapeTyped, typedContract } from '../data/typed-rows.js';
import { readColumns } from './parity.js';
import { smallSpec } from './small-parquet.js';

const contract = typedContract(['id', 'member', 'seen', 'place', 'visits', 'city']);
let folder: string;
let file: string;
let attempts = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-types-'));
  const shaped = await shapeTyped(folder, contract);
  expect(shaped.report.issues).toEqual([]);
  file = shaped.file?.path ?? '';
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const features: TrainerSpec['features'] = Object.entries(contract.features).map(([name, feature]) => ({
  ...{ name, type: feature.type, nullable: feature.nullable },
  ...(feature.type === 'vector' && { length: feature.length }),
}));
const spec = (changes: Partial<TrainerSpec>) =>
  smallSpec({ train: file, holdout: file }, { features, label: { name: 'again', type: 'boolean' }, ...changes });
const train = (changes: Partial<TrainerSpec>) =>
  runTrainer({
    ...trainerFor('lightgbm', path.resolve(import.meta.dirname, '../../..')),
    spec: spec(changes),
    outDir: path.join(folder, `out-${(attempts += 1)}`),
    timeoutMs: 120_000,
    memoryMb: 2048,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });

/** The answers for the rows of the file, as the evaluation reads them. */
async function evaluated(session: ModelSession): Promise<number[]> {
  const reader = await openHoldoutReader({ task: taskOf({}), contract, classes: [0, 1] }, [file]);
  const scores: number[] = [];
  for await (const { columns, rows } of reader.batches(file)) scores.push(...(await session.scores(columns, rows)));
  reader.close();
  return scores;
}

/** The answers for the same rows as JSON, as a gateway reads them. */
async function served(session: ModelSession): Promise<number[]> {
  const rows = await readShapedRows({ file, contract });
  const compiled = compileContract(contract);
  const inputs = Object.entries(contract.features).map(([name, feature]): [string, InputTensor] => {
    const { datatype, width } = requestTensor(name, feature);
    const values = rows.map((row) => row.features[name] ?? null);
    const isNested = feature.type === 'vector';
    const tensor = { name, datatype: feature.type === 'timestamp' ? 'BYTES' : datatype, shape: [rows.length, width] };
    return [name, { ...tensor, data: values, bytes: undefined, ...(isNested && { nested: true }) }];
  });
  const { numbers, strings, others } = packRows(compiled.features, [compiled.readRows(new Map(inputs))]);
  expect(numbers).toHaveLength(0);
  return [...(await session.scores({ ...others, city: strings }, rows.length))];
}

it.each<[string, Partial<TrainerSpec>]>([
  ['lightgbm', { algorithm: 'lightgbm' }],
  ['xgboost', { algorithm: 'xgboost' }],
  ['sklearn boosting', { algorithm: 'sklearn' }],
  ['sklearn logistic regression', { algorithm: 'sklearn', parameters: { estimator: 'logistic-regression' } }],
])(
  '%s learns from ids beyond 2^53, times, booleans and vectors, and answers natively as when evaluated and served',
  { timeout: 120_000 },
  async (_name, changes) => {
    const { modelPath, modelSha256, nativePath, report } = await train(changes);
    const model = await readModelFile({ path: modelPath, sha256: modelSha256 });
    checkTensorInterface(model.info, { contract });
    const session = await openModelSession(model, taskOf({}).graphOutputs(outputSignature(contract)));
    const [inEvaluation, inService] = [await evaluated(session), await served(session)];
    await session.release();
    expect(inService).toEqual(inEvaluation);
    const [native = []] = await readColumns(nativePath, ['probability']);
    const greatest = Math.max(...native.map((one, row) => Math.abs(Number(one) - (inEvaluation[2 * row + 1] ?? NaN))));
    expect(greatest).toBeLessThanOrEqual(1e-5);
    const shares = Object.fromEntries(report.featureImportances.map(({ feature, share }) => [feature, share]));
    expect(Object.keys(shares).sort()).toEqual(Object.keys(contract.features));
    for (const name of ['id', 'member', 'seen', 'place']) expect(shares[name], name).toBeGreaterThan(0.05);
  },
);

it.each<[string, TrainerSpec['features'][number], RegExp]>([
  ['a text', { name: 'city', type: 'text', nullable: true }, /features\[0\].type is 'text', and this trainer takes/],
  ['a list', { name: 'city', type: 'list', nullable: true, of: 'string', maxLength: 3 }, /write a trainer of your own/],
  [
    'a vector of another length',
    { name: 'place', type: 'vector', nullable: true, length: 4 },
    /vectors of \[3\] numbers instead of 4/,
  ],
  [
    'a string where a time is due',
    { name: 'city', type: 'timestamp', nullable: true },
    /is a timestamp in the spec.* and string in the file/,
  ],
  [
    'a missing value that is not allowed',
    { name: 'seen', type: 'timestamp', nullable: false },
    /seen is missing in \d+ rows and not nullable/,
  ],
])('%s is refused with its place', { timeout: 120_000 }, async (_name, feature, message) => {
  await expect(train({ features: [feature] })).rejects.toThrow(message);
});
