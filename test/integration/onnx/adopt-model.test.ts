import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adoptModel } from '../../../adapters/onnx/adopt-model.js';
import { openModelSession, readModelFile } from '../../../adapters/onnx/model-session.js';
import { contractSchema, type Contract } from '../../../domain/data/contract.js';
import type { ImportMap } from '../../../domain/imported-model.js';
import { outputSignature, taskOf } from '../../../domain/tasks/task-of.js';
import type { TaskName } from '../../../domain/tasks/task.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
let folder: string;
let imports = 0;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-imports-'));
  const python = path.join(projectRoot, '.tools/trainers/bin/python');
  execFileSync(python, [path.join(import.meta.dirname, 'foreign_models.py'), folder]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const number = { type: 'number' } as const;
const contractOf = (
  label: unknown,
  features: Record<string, unknown> = { a: number, b: number, c: number },
): Contract => contractSchema.parse({ entity: ['id'], eventTime: 'at', label, features });
const price = contractOf({ name: 'price', type: 'number' });
const colour = contractOf({ name: 'colour', type: 'string', classes: ['blue', 'green', 'red'] });
const sold = contractOf({ name: 'sold', type: 'boolean' });

function adopt(name: string, contract: Contract, task: TaskName, map?: ImportMap) {
  const workDir = path.join(folder, `work-${(imports += 1)}`);
  const { signal } = new AbortController();
  const file = path.join(folder, `${name}.onnx`);
  const classes = outputSignature(contract).classes;
  return adoptModel({ file, called: 'the model', contract, task, classes, map, projectRoot, workDir, signal });
}

/** What the adopted model says of two rows, as gateways ask it. */
async function answers(name: string, contract: Contract, task: TaskName, map?: ImportMap): Promise<number[]> {
  const { file, sha256 } = await adopt(name, contract, task, map);
  const session = await openModelSession(
    await readModelFile({ path: file, sha256 }),
    taskOf({ task }).graphOutputs(outputSignature(contract)),
  );
  const rows = { a: Float32Array.of(1, 0), b: Float32Array.of(2, 0), c: Float32Array.of(3, 1) };
  const scores = await session.scores(rows, 2);
  await session.release();
  return [...scores];
}

/** 2a − b + c/2 + 1 */
const expected = [2.5, 1.5];
const matrix: ImportMap = { inputs: { input: ['a', 'b', 'c'] } };

describe('a model that was made elsewhere', () => {
  it.each<[string, ImportMap]>([
    ['sklearn-matrix', { inputs: { X: ['a', 'b', 'c'] } }],
    ['columns', { inputs: { A: 'a', B: 'b', C: 'c' }, outputs: { variable: 'value' } }],
    ['torch', matrix],
    ['float16', matrix],
  ])('answers by the contract’s names and types: %s', async (name, map) => {
    expect(await answers(name, price, 'regression', map)).toEqual(expected);
  });

  it('answers as exactly as it can where it is quantised', async () => {
    const [first = NaN, second = NaN] = await answers('quantised', price, 'regression', matrix);
    expect(first).toBeCloseTo(2.5, 1);
    expect(second).toBeCloseTo(1.5, 1);
  });

  it('has the columns of its matrix in the order that the map says', async () => {
    const [first] = await answers('torch', price, 'regression', { inputs: { input: ['c', 'b', 'a'] } });
    expect(first).toBe(2 * 3 - 2 + 0.5 + 1);
  });

  it('stays byte for byte where it has what the contract asks', async () => {
    const bytes = readFileSync(path.join(folder, 'fitting.onnx'));
    const { sha256 } = await adopt('fitting', price, 'regression');
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await answers('fitting', price, 'regression')).toEqual(expected);
  });

  it('is the same file again for the same file and map', async () => {
    const twice = [
      await adopt('torch', price, 'regression', matrix),
      await adopt('torch', price, 'regression', matrix),
    ];
    expect(twice[0]?.sha256).toBe(twice[1]?.sha256);
  });

  it('gives chances without a list of maps, with its own label', async () => {
    const said = await answers('zipmap', colour, 'multiclass', { inputs: { X: ['a', 'b', 'c'] } });
    const total = Math.exp(1) + Math.exp(2) + Math.exp(3);
    for (const [place, chance] of [1, 2, 3].entries()) expect(said[place]).toBeCloseTo(Math.exp(chance) / total, 6);
  });

  it('gives chances of logits, and a label of the contract’s classes', async () => {
    const map: ImportMap = { ...matrix, outputs: { logits: { as: 'probabilities', apply: 'softmax' } } };
    const said = await answers('logits', colour, 'multiclass', map);
    expect(said.slice(0, 3).reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 6);
    const binary: ImportMap = { ...matrix, outputs: { output: { as: 'probabilities', apply: 'sigmoid' } } };
    const [no = NaN, yes = NaN] = await answers('torch', sold, 'binary', binary);
    expect(yes).toBeCloseTo(1 / (1 + Math.exp(-2.5)), 6);
    expect(no + yes).toBeCloseTo(1, 6);
  });
});

describe('a model that does not fit is refused, by name and with what to do', () => {
  const refused = async (name: string, contract: Contract, task: TaskName, map?: ImportMap): Promise<string> => {
    try {
      await adopt(name, contract, task, map);
    } catch (error) {
      expect(error).toMatchObject({ code: 'artifact/refused' });
      return error instanceof Error ? error.message : '';
    }
    return expect.fail('it was accepted');
  };
  const more = contractOf({ name: 'price', type: 'number' }, { a: number, b: number, c: number, d: number });
  const text = contractOf({ name: 'price', type: 'number' }, { a: number, b: number, c: { type: 'string' } });

  it.each<[string, Contract, TaskName, ImportMap | undefined, RegExp]>([
    [
      'torch',
      price,
      'regression',
      undefined,
      /takes input float \[-1, 3\].*features a, b, c.*--map.*"inputs": \{"input"/,
    ],
    ['torch', more, 'regression', matrix, /no input of the model takes d: it takes input float/],
    ['torch', price, 'regression', { inputs: { input: ['a', 'b'] } }, /has 3 columns, and 2 features are named/],
    [
      'torch',
      price,
      'regression',
      { inputs: { input: ['a', 'b', 'x'] } },
      /map\.inputs\.input names x, which is no feature/,
    ],
    ['torch', price, 'regression', { inputs: { input: ['a', 'b', 'b'] } }, /no input of the model takes c/],
    [
      'torch',
      price,
      'regression',
      { inputs: { X: ['a', 'b', 'c'] } },
      /map\.inputs names X, and the model takes input/,
    ],
    ['torch', text, 'regression', matrix, /cannot take c of the type string/],
    ['torch', price, 'regression', { ...matrix, outputs: { y: 'value' } }, /map\.outputs names y, and the model gives/],
    ['logits', price, 'regression', matrix, /output logits float \[-1, 3\] has 3 numbers a row, and value needs 1/],
    ['torch', colour, 'multiclass', matrix, /has 1 numbers a row, and probabilities needs 3/],
    ['fixed-batch', price, 'regression', matrix, /is none of rows: export the model with a free first dimension/],
    ['stranger', price, 'regression', matrix, /operators of the domain "evil"/],
    ['outside', price, 'regression', matrix, /stored in another file \(external data\)/],
  ])('%s', async (name, contract, task, map, message) => {
    expect(await refused(name, contract, task, map)).toMatch(message);
  });

  it('a file that is no model', async () => {
    writeFileSync(path.join(folder, 'noise.onnx'), Buffer.from('this is no model at all'));
    expect(await refused('noise', price, 'regression')).toMatch(
      /the model was not accepted: it cannot be read as ONNX/,
    );
  });
});
