import { describe, expect, it } from 'vitest';
import { regressionMeasurer } from '../../../../domain/metrics/regression-measurer.js';
import { near, oracle, rowsOf } from './oracle-problems.js';

const close = (value: number): unknown => expect.closeTo(value, 9);
const plain = (labels: number[], values: number[]) =>
  regressionMeasurer({ labels: Float64Array.from(labels), scores: Float64Array.from(values), width: 1 }, []);

describe('regressionMeasurer', () => {
  it('agrees with scikit-learn, for all rows and for a resample of them', () => {
    const { quantiles, expected, weights, weighted } = oracle.regression;
    const measurer = regressionMeasurer(rowsOf(oracle.regression), quantiles);
    expect(measurer.measure()).toEqual(near(expected, close));
    expect(measurer.measure(Uint16Array.from(weights))).toEqual(near(weighted, close));
  });

  it('has no R² where all labels are the same, however far from 0, and in a resample of one row', () => {
    expect(plain([1e9 + 0.125, 1e9 + 0.125], [1e9, 1e9]).measure()).toMatchObject({ r2: NaN, mae: 0.125 });
    expect(plain([1, 2], [1, 1]).measure(Uint16Array.of(0, 2)).r2).toBeNaN();
    expect(plain([1, 2], [1, 1]).measure().r2).toBeCloseTo(-1, 12);
  });

  it('keeps R² exact where labels vary little around a great mean', () => {
    const labels = [1, 2, 3, 4].map((part) => 1e9 + part / 8);
    const values = [1, 2, 3, 5].map((part) => 1e9 + part / 8);
    expect(plain(labels, values).measure().r2).toBeCloseTo(0.8, 9);
  });

  it('has no percentage error where a label is 0, unless no resampled row has one; the symmetric one stays', () => {
    const measurer = plain([0, 2], [1, 1]);
    expect(measurer.measure()).toMatchObject({ mape: NaN, smape: close(1 + 1 / 3) });
    expect(measurer.measure(Uint16Array.of(0, 2)).mape).toBe(0.5);
    expect(plain([0], [0]).measure().smape).toBe(0);
  });

  it('has no quantile metrics without quantiles, and no interval of one', () => {
    expect(Object.keys(plain([1], [1]).measure())).not.toContain('pinball');
    const one = regressionMeasurer(
      { labels: Float64Array.of(1, 4), scores: Float64Array.of(1, 2, 1, 2), width: 2 },
      [0.5],
    );
    expect(one.measure()).toMatchObject({ pinball: 0.75, 'pinball@0.5': 0.75 });
    expect(one.measure()).not.toHaveProperty('intervalCoverage');
  });
});
