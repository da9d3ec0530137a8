import { describe, expect, it } from 'vitest';
import { evaluateScores, type ScoredHoldout } from '../../../../domain/evaluation/evaluate-scores.js';
import { evaluationPolicySchema } from '../../../../domain/evaluation/evaluation-policy.js';
import { levelsOfStrings } from '../../../../domain/statistics/slice-levels.js';
import { taskOf } from '../../../../domain/tasks/task-of.js';
import { sampleLabels, sampleScores, sampleSize } from '../statistics/sample-problem.js';

const policy = (more: object = {}) =>
  evaluationPolicySchema.parse({
    bootstrapRounds: 100,
    gates: [{ name: 'g', metric: 'rocAuc', atLeast: 0.5, slice: 'group', minRows: 100 }],
    ...more,
  });
const groups = Array.from({ length: sampleSize }, (_, row) => (row < 250 ? 'big' : row < 390 ? '' : 'tiny'));
/** The chances of no and of yes. */
const chances = (scores: Float64Array) => Float64Array.from([...scores].flatMap((score) => [1 - score, score]));
const signature = { classes: [0, 1], quantiles: [], length: 0 };
const holdout: ScoredHoldout = {
  task: taskOf({}),
  rows: { labels: Float64Array.from(sampleLabels), scores: chances(sampleScores), width: 2 },
  signature,
  threshold: 0.5,
  champion: null,
  slices: [levelsOfStrings('group', groups)],
  seed: 1,
};

describe('evaluateScores', () => {
  it('measures the champion at its own threshold, on the same rows', () => {
    const { overall, comparison } = evaluateScores(
      {
        ...holdout,
        champion: { scores: chances(sampleScores.map((score) => score / 2)), width: 2, signature, threshold: 0.25 },
      },
      policy(),
    );
    expect(comparison?.champion.f1).toBe(overall.metrics.f1);
    expect(comparison?.differences.f1?.estimate).toBe(0);
    expect(comparison?.differences.brier?.estimate).not.toBe(0);
  });

  it('gives intervals to levels with enough rows only, and names the level of missing values', () => {
    const { slices } = evaluateScores(holdout, policy());
    expect(slices.map(({ level, scored }) => [level, scored.rows, scored.intervals.rocAuc !== undefined])).toEqual([
      ['big', 250, true],
      ['(missing)', 140, true],
      ['tiny', 10, false],
    ]);
  });

  it('reports shares of scores that sum to one', () => {
    const { scoreHistogram } = evaluateScores(holdout, policy());
    expect(scoreHistogram).toHaveLength(20);
    expect(scoreHistogram?.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  it('survives an empty holdout of any task with nothing but nulls', () => {
    for (const task of ['binary', 'multiclass', 'regression', 'ranking'] as const) {
      const shape = { classes: ['a', 'b'], quantiles: [0.1, 0.9], length: 0 };
      const width = taskOf({ task })
        .graphOutputs(shape)
        .reduce((sum, output) => sum + output.width, 0);
      const rows = { labels: new Float64Array(), scores: new Float64Array(), width, groups: new Int32Array() };
      const { overall } = evaluateScores(
        { ...holdout, task: taskOf({ task }), signature: shape, rows, slices: [] },
        policy(),
      );
      expect(overall).toMatchObject({ rows: 0, intervals: {} });
      expect(Object.values(overall.metrics).length).toBeGreaterThan(0);
      expect(Object.values(overall.metrics).every((value) => value === null)).toBe(true);
    }
  });

  it('marks rows that all have one label, of any task', () => {
    const rows = { labels: Float64Array.of(7, 7, 7), scores: Float64Array.of(6, 7, 8), width: 1 };
    const regression = { ...holdout, task: taskOf({ task: 'regression' }), signature: { ...signature, quantiles: [] } };
    const { overall } = evaluateScores({ ...regression, rows, slices: [] }, policy());
    expect(overall).toMatchObject({ oneLabel: true, metrics: { r2: null } });
    expect(evaluateScores(holdout, policy()).overall.oneLabel).toBeUndefined();
  });
});
