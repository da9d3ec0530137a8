import { describe, expect, it } from 'vitest';
import { scoresOf } from '../../../../adapters/onnx/scores-of.js';
import { taskOf } from '../../../../domain/tasks/task-of.js';

const signature = { classes: ['a', 'b', 'c'], quantiles: [0.1, 0.5, 0.9], length: 2 };
const regression = taskOf({ task: 'regression' }).graphOutputs(signature);
const multiclass = taskOf({ task: 'multiclass' }).graphOutputs(signature);
const embedding = taskOf({ task: 'embedding' }).graphOutputs(signature);

const answers = (tensors: Record<string, unknown>) => (name: string) => tensors[name];

describe('scoresOf', () => {
  it('lays the outputs of a graph side by side, in the order of the task', () => {
    const tensors = { quantiles: Float32Array.of(1, 2, 3, 4, 5, 6), value: Float32Array.of(2, 5) };
    expect([...scoresOf(regression, answers(tensors), 2)]).toEqual([2, 1, 2, 3, 5, 4, 5, 6]);
  });

  it('puts quantiles that cross in order, within their row alone', () => {
    const tensors = { value: Float32Array.of(0, 0), quantiles: Float32Array.of(3, 1, 2, 0.5, 0.4, 9) };
    expect([...scoresOf(regression, answers(tensors), 2)]).toEqual([...Float32Array.of(0, 1, 2, 3, 0, 0.4, 0.5, 9)]);
  });

  it('takes a chance that rounding carried out of [0, 1], and refuses one that is none', () => {
    const sound = Float32Array.of(1.000005, -0.000004, 0);
    expect(scoresOf(multiclass, answers({ probabilities: sound }), 1)).toBe(sound);
    expect(() => scoresOf(multiclass, answers({ probabilities: Float32Array.of(1, 0, 0, 0.2, 1.7, 0) }), 2)).toThrow(
      /stands where a probability is due, in row 1 of the output probabilities/,
    );
  });

  it('refuses what is no finite number, and names the row and the output', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(() => scoresOf(embedding, answers({ embedding: Float32Array.of(0, 1, 2, bad) }), 2)).toThrow(
        `${bad} stands where a finite number is due, in row 1 of the output embedding`,
      );
  });

  it('refuses an output of another shape or type', () => {
    expect(() => scoresOf(embedding, answers({ embedding: new Float32Array(3) }), 2)).toThrow(
      'the output embedding is not FP32 of shape [2, 2]',
    );
    expect(() => scoresOf(embedding, answers({ embedding: new Float64Array(4) }), 2)).toThrow(/not FP32/);
    expect(() => scoresOf(embedding, answers({}), 2)).toThrow(/not FP32/);
  });
});
