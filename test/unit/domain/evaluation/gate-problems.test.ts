import { describe, expect, it } from 'vitest';
import { contractSchema } from '../../../../domain/data/contract.js';
import { evaluationPolicySchema } from '../../../../domain/evaluation/evaluation-policy.js';
import { evaluationProblems } from '../../../../domain/evaluation/evaluation-problems.js';
import type { TaskName } from '../../../../domain/tasks/task.js';

const contracts: Record<TaskName, object> = {
  binary: { label: { name: 'y', type: 'boolean' } },
  multiclass: { label: { name: 'y', type: 'string', classes: ['red', 'blue'] } },
  regression: { label: { name: 'y', type: 'number' }, output: { quantiles: [0.1, 0.9] } },
  ranking: { label: { name: 'y', type: 'integer' }, group: 'id' },
  embedding: { output: { length: 3 } },
};
const problems = (task: TaskName, policy: object, contract: object = {}) =>
  evaluationProblems({
    task,
    contract: contractSchema.parse({
      ...{ entity: ['id'], eventTime: 'at', features: { x: { type: 'number' } } },
      ...contracts[task],
      ...contract,
    }),
    evaluation: evaluationPolicySchema.parse(policy),
  }).map(({ path, message }) => `${path}: ${message}`);
const gated = (task: TaskName, gate: object, contract?: object, policy?: object) =>
  problems(task, { ...policy, gates: [{ name: 'g', atLeast: 0.5, ...gate }] }, contract);
const noBound = { atLeast: undefined };

describe('gates of a task', () => {
  it.each([
    ['binary', { metric: 'rocauc' }, /metric: the task binary has no metric rocauc; the nearest is rocAuc/],
    ['regression', { metric: 'rocAuc' }, /the task regression has no metric rocAuc; it has mae, rmse, /],
    ['multiclass', { metric: 'ndcg', k: 10 }, /the task multiclass has no metric ndcg/],
    ['embedding', { metric: 'mae' }, /the task embedding has no metric mae; it has none: a model without a label/],
    ['ranking', { metric: 'ndcg' }, /gates\[0\]\.k: is missing: ndcg must say how many rows of a group count/],
    ['ranking', { metric: 'mrr', k: 3 }, /gates\[0\]\.k: mrr has no k: leave it out/],
    ['binary', { metric: 'rocAuc', class: 'red' }, /gates\[0\]\.class: rocAuc has no class/],
    ['multiclass', { metric: 'f1' }, /gates\[0\]\.class: is missing: f1 must say of which class/],
    ['multiclass', { metric: 'f1', class: 'green' }, /green is none of the classes red, blue/],
    ['multiclass', { metric: 'accuracy', class: 'red' }, /accuracy has no class/],
    ['regression', { metric: 'pinball', quantile: 0.5, ...noBound, atMost: 1 }, /its quantiles are 0\.1, 0\.9/],
    ['regression', { metric: 'mae', atLeast: 1 }, /a smaller mae is better: bound it by atMost/],
    ['regression', { metric: 'r2', atLeast: 1.5 }, /r2 is 1 or less: atLeast 1\.5 could never pass/],
    ['regression', { metric: 'r2', atLeast: 1 }, /passes only with no mistake at all/],
    ['regression', { metric: 'smape', ...noBound, atMost: 2 }, /smape is 0 to 2: atMost 2 could never fail/],
    ['regression', { metric: 'mae', ...noBound, atMost: -1 }, /mae is 0 or more: atMost -1 could never pass/],
    ['regression', { metric: 'mape', ...noBound, atMost: 0.1 }, /mape divides by the label/],
    [
      'regression',
      { metric: 'intervalCoverage', ...noBound, worseThanChampionByAtMost: 0.1 },
      /neither a greater nor a smaller intervalCoverage is better/,
    ],
    ['multiclass', { metric: 'brier', ...noBound, worseThanChampionByAtMost: 2 }, /could never fail/],
    ['binary', { metric: 'utility' }, /utility needs evaluation\.costs/],
  ] as const)('%s refuses %j', (task, gate, expected) => {
    expect(gated(task, gate)).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ['regression', { metric: 'r2', atLeast: -0.5 }],
    ['regression', { metric: 'mae', ...noBound, atMost: 1e6 }],
    ['regression', { metric: 'mae', ...noBound, worseThanChampionByAtMost: 1e6 }],
    ['regression', { metric: 'pinball', ...noBound, atMost: 3 }],
    ['regression', { metric: 'pinball', quantile: 0.9, ...noBound, atMost: 3 }],
    ['multiclass', { metric: 'f1', class: 'red' }],
    ['multiclass', { metric: 'rocAuc' }],
    ['multiclass', { metric: 'brier', ...noBound, atMost: 1.5 }],
    ['ranking', { metric: 'recallAtK', k: 10 }],
    ['binary', { metric: 'rocAuc' }],
  ] as const)('%s takes %j', (task, gate) => {
    expect(gated(task, gate)).toEqual([]);
  });

  it('bound a share of errors where the contract says that no label is 0', () => {
    const positive = { label: { name: 'y', type: 'number', min: 0.5 } };
    expect(gated('regression', { metric: 'mape', ...noBound, atMost: 0.1 }, positive)).toEqual([]);
  });

  it('ask of quantiles only where the contract has them', () => {
    const [problem] = gated('regression', { metric: 'intervalWidth', ...noBound, atMost: 9 }, { output: undefined });
    expect(problem).toContain('intervalWidth needs 2 quantiles');
  });

  it('of two bounds on one number contradict each other, but not of two k', () => {
    const both = (k: number) => [
      { name: 'a', metric: 'ndcg', k: 5, atLeast: 0.6 },
      { name: 'b', metric: 'ndcg', k, atMost: 0.4 },
    ];
    expect(problems('ranking', { gates: both(5) })).toEqual([expect.stringContaining('ndcg@5 cannot be at most 0.4')]);
    expect(problems('ranking', { gates: both(6) })).toEqual([]);
  });

  it('may be none for a model without a label alone', () => {
    expect(problems('embedding', { gates: [] })).toEqual([]);
    for (const task of ['binary', 'multiclass', 'regression', 'ranking'] as const)
      expect(problems(task, { gates: [] })).toEqual(['evaluation.gates: must hold at least one gate']);
  });
});

describe('metrics of a team', () => {
  const metrics = { profit: { sql: 'avg(label)', direction: 'higher-is-better', least: 0 } };
  it('are gated by their direction and bounds, and known by name', () => {
    expect(gated('regression', { metric: 'profit', atLeast: 3 }, {}, { metrics })).toEqual([]);
    expect(gated('regression', { metric: 'profit', atLeast: 0 }, {}, { metrics })).toEqual([
      expect.stringContaining('profit is 0 or more: atLeast 0 could never fail'),
    ]);
    expect(gated('regression', { metric: 'proft' }, {}, { metrics })).toEqual([
      expect.stringContaining('the nearest is profit'),
    ]);
  });

  it('have names of their own and a label to measure against', () => {
    const { profit } = metrics;
    const gates = [{ name: 'g', metric: 'r2', atLeast: 0.5 }];
    expect(problems('regression', { gates, metrics: { ndcg: profit } })).toEqual([
      'evaluation.metrics.ndcg: ndcg is the name of a metric of the product: give yours another',
    ]);
    expect(problems('embedding', { gates: [], metrics })).toEqual([
      'evaluation.metrics: a model of the task embedding has no label to measure against',
    ]);
  });
});

describe('the threshold', () => {
  const costs = { truePositive: -5, falsePositive: 1, trueNegative: 0, falseNegative: 3 };
  const gates = [{ name: 'g', metric: 'r2', atLeast: 0.5 }];
  it('is of the task binary, with costs where it is chosen by utility', () => {
    expect(problems('regression', { gates, threshold: 'best-f1', costs })).toEqual([
      'evaluation.threshold: is for the task binary; this one is regression',
      'evaluation.costs: is for the task binary; this one is regression',
    ]);
    expect(gated('binary', { metric: 'rocAuc' }, {}, { threshold: 'best-utility' })).toEqual([
      'evaluation.threshold: best-utility needs evaluation.costs',
    ]);
    expect(gated('binary', { metric: 'utility' }, {}, { threshold: 'best-utility', costs })).toEqual([]);
  });
});
