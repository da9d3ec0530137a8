import { describe, expect, it } from 'vitest';
import { rankingMeasurer } from '../../../../domain/metrics/ranking-measurer.js';
import { near, oracle } from './oracle-problems.js';

const close = (value: number): unknown => expect.closeTo(value, 9);
const ranking = (rows: readonly { group: number; relevance: number; score: number }[], ks: readonly number[]) =>
  rankingMeasurer(
    {
      labels: Float64Array.from(rows, ({ relevance }) => relevance),
      scores: Float64Array.from(rows, ({ score }) => score),
      width: 1,
      groups: Int32Array.from(rows, ({ group }) => group),
    },
    ks,
  );

describe('rankingMeasurer', () => {
  it('agrees with ndcg_score, and with recall, average precision and reciprocal rank over all orders of ties', () => {
    const { rows, ks, expected } = oracle.ranking;
    expect(ranking(rows, ks).measure()).toEqual(near(expected, close));
  });

  it('draws whole groups, and leaves out those without a relevant row', () => {
    const measurer = ranking(
      [
        { group: 0, relevance: 1, score: 0.9 },
        { group: 0, relevance: 0, score: 0.1 },
        { group: 1, relevance: 0, score: 0.9 },
        { group: 1, relevance: 1, score: 0.1 },
        { group: 2, relevance: 0, score: 0.5 },
      ],
      [1],
    );
    expect(measurer.units).toBe(3);
    expect(measurer.measure()).toMatchObject({ mrr: 0.75, 'recallAtK@1': 0.5 });
    expect(measurer.measure(Uint16Array.of(3, 1, 9)).mrr).toBeCloseTo((3 + 0.5) / 4, 12);
    expect(measurer.measure(Uint16Array.of(0, 0, 3)).mrr).toBeNaN();
  });

  it('gives a score that is the same for all rows no luck: the mean over all orders', () => {
    const tied = [1, 0, 0, 0].map((relevance) => ({ group: 0, relevance, score: 0.5 }));
    expect(ranking(tied, [2]).measure()).toMatchObject({
      'recallAtK@2': 0.5,
      mrr: close((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4),
      'mapAtK@2': close((1 + 1 / 2) / 4),
    });
  });
});
