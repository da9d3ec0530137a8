import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { evaluateModels } from '../../../adapters/onnx/evaluate-models.js';
import type { EvaluationRequest } from '../../../adapters/onnx/evaluation-request.js';
import { fileSha256 } from '../../../adapters/verified-file-cache.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { evaluationPolicySchema } from '../../../domain/evaluation/evaluation-policy.js';
import { importancesOf } from '../../../domain/evaluation/importances.js';
import { floatTensor, logisticGraph, model, valueInfo, type Graph } from './onnx-builder.js';

const oracle = path.resolve(import.meta.dirname, '../../../.tools/oracles/bin/python');
let folder: string;
let holdout: { path: string; sha256: string };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-importances-'));
  const file = path.join(folder, 'holdout.parquet');
  const uniform = (name: string) => `((hash(i, '${name}') % 1000003) / 1000003.0)`;
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`COPY (SELECT * EXCLUDE (i), 3 * a + b + ${uniform('noise')} AS price,
      1 / (1 + exp(-(4 * (x - 0.5) + CASE carrier WHEN 'AA' THEN 0.5 ELSE -0.5 END))) > ${uniform('late')} AS late
    FROM (SELECT i, i AS id, (${uniform('a')})::FLOAT AS a, (${uniform('b')})::FLOAT AS b,
      (${uniform('c')})::FLOAT AS c, (${uniform('x')})::FLOAT AS x,
      CASE WHEN ${uniform('carrier')} < 0.5 THEN 'AA' ELSE 'UA' END AS carrier
    FROM range(9000) t(i)) ORDER BY id) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  holdout = { path: file, sha256: await fileSha256(file) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 3 a + b; c has no part in it. */
const linear: Graph = {
  nodes: [
    { op: 'Mul', inputs: ['a', 'three'], outputs: ['much'] },
    { op: 'Mul', inputs: ['c', 'none'], outputs: ['nothing'] },
    { op: 'Add', inputs: ['much', 'b'], outputs: ['both'] },
    { op: 'Add', inputs: ['both', 'nothing'], outputs: ['value'] },
  ],
  inputs: ['a', 'b', 'c'].map((name) => valueInfo(name, 1, [null, 1])),
  outputs: [valueInfo('value', 1, [null, 1])],
  initializers: [floatTensor('three', [3]), floatTensor('none', [0])],
};

async function importancesFound(graph: Graph, asked: Pick<EvaluationRequest, 'task' | 'contract' | 'policy'>) {
  const candidate = path.join(folder, `${asked.task}.onnx`);
  writeFileSync(candidate, model(graph));
  const request = {
    ...asked,
    candidate: { path: candidate, sha256: await fileSha256(candidate) },
    champion: null,
    holdout: [holdout],
    native: null,
    importances: true,
  };
  const first = await evaluateModels(request, { timeoutMs: 60_000 });
  const again = await evaluateModels(request, { timeoutMs: 60_000 });
  expect(again.importances).toEqual(first.importances);
  if (first.importances === undefined) throw new Error('the evaluation found no importances');
  return first.importances;
}

/** scikit-learn's `permutation_importance` of the same function on all rows, twenty times each. */
function scikitLearn(features: string[], label: string, predict: string, scoring: string): Record<string, number> {
  const program = `import json, sys
import numpy as np, pyarrow.parquet as pq
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance
table = pq.read_table(sys.argv[1])
def column(name):
    values = table[name].to_numpy(zero_copy_only=False)
    return (values == "AA").astype(float) if name == "carrier" else values
X = np.column_stack([column(name) for name in sys.argv[2].split(",")])
y = table["${label}"].to_numpy(zero_copy_only=False).astype(float)
class Model(${scoring === 'roc_auc' ? 'ClassifierMixin' : 'RegressorMixin'}, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.array([0.0, 1.0]); self.fitted_ = True
        return self
    def predict(self, X): return ${predict}
    def decision_function(self, X): return self.predict(X)
found = permutation_importance(Model().fit(X, y), X, y, scoring="${scoring}", n_repeats=20, random_state=0)
print(json.dumps(dict(zip(sys.argv[2].split(","), found.importances_mean))))
`;
  return JSON.parse(
    execFileSync(oracle, ['-c', program, holdout.path, features.join(',')], { encoding: 'utf8' }),
  ) as Record<string, number>;
}

const common = { entity: ['id'], eventTime: 'at' };
const number = { type: 'number' as const };
const gates = (metric: string) => [{ name: 'good', metric, atMost: 0.9 }];

it('what a number’s model relies on is found as scikit-learn finds it, and again the same', async () => {
  const found = await importancesFound(linear, {
    task: 'regression',
    contract: contractSchema.parse({
      ...common,
      label: { name: 'price', type: 'number' },
      features: { a: number, b: number, c: number },
    }),
    policy: evaluationPolicySchema.parse({ bootstrapRounds: 100, gates: gates('mae') }),
  });
  expect(found).toMatchObject({ metric: 'mae', repeats: 5, leftOut: 0 });
  expect(found.rows).toBeGreaterThan(4500);
  expect(found.rows).toBeLessThan(5500);
  const oracles = scikitLearn(['a', 'b', 'c'], 'price', '3 * X[:, 0] + X[:, 1]', 'neg_mean_absolute_error');
  for (const { feature, drop } of found.features)
    expect(Math.abs(drop - (oracles[feature] ?? NaN))).toBeLessThan(0.03 * (oracles['a'] ?? NaN));
  const shares = importancesOf([], found);
  expect(shares.map(({ feature }) => feature)).toEqual(['a', 'b', 'c']);
  expect(shares[2]?.share).toBe(0);
}, 90_000);

it('a string is dealt out like a number, and of chances the ROC AUC is what falls', async () => {
  const found = await importancesFound(logisticGraph({ slope: 4 }), {
    task: 'binary',
    contract: contractSchema.parse({
      ...common,
      label: { name: 'late', type: 'boolean' },
      features: { carrier: { type: 'string' }, x: number },
    }),
    policy: evaluationPolicySchema.parse({ bootstrapRounds: 100, gates: gates('logLoss') }),
  });
  expect(found.metric).toBe('rocAuc');
  const oracles = scikitLearn(['carrier', 'x'], 'late', '4 * X[:, 1] + X[:, 0]', 'roc_auc');
  for (const { feature, drop } of found.features)
    expect(Math.abs(drop - (oracles[feature] ?? NaN))).toBeLessThan(0.015);
}, 90_000);

it('what the trainer says of its features counts before what permutation would say', () => {
  const said = [{ feature: 'a', share: 1 }];
  const found = { metric: 'mae', rows: 1, repeats: 5, features: [{ feature: 'b', drop: 2 }], leftOut: 0 };
  expect(importancesOf(said, found)).toEqual(said);
  expect(importancesOf([], undefined)).toEqual([]);
  expect(importancesOf([], { ...found, features: [{ feature: 'b', drop: -1 }] })).toEqual([{ feature: 'b', share: 0 }]);
});
