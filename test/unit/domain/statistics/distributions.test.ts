import { describe, expect, it } from 'vitest';
import { kolmogorovSmirnovDistance } from '../../../../domain/statistics/kolmogorov-smirnov-distance.js';
import {
  countByEdges,
  decileEdges,
  populationStabilityIndex,
} from '../../../../domain/statistics/population-stability-index.js';
import { quantile } from '../../../../domain/statistics/quantile.js';

describe('quantile', () => {
  it('agrees with np.quantile([1, 2, 4, 8, 16], q)', () => {
    const values = Float64Array.of(1, 2, 4, 8, 16);
    expect([0, 0.025, 0.3, 0.5, 0.975, 1].map((q) => quantile(values, q))).toEqual(
      [1, 1.1, 2.4, 4, 15.2, 16].map((value) => expect.closeTo(value, 12)),
    );
    expect(quantile(new Float64Array(), 0.5)).toBeNaN();
    expect(quantile(Float64Array.of(7), 0.9)).toBe(7);
  });
});

describe('kolmogorovSmirnovDistance', () => {
  // scipy.stats.ks_2samp(np.repeat(range(5), [10, 20, 30, 20, 20]), np.repeat(range(5), [5, 5, 20, 10, 10])).statistic
  // → 0.1 (in shares 0.1,0.3,… against 0.1,0.2,…)
  it('is the largest difference of cumulative shares', () => {
    expect(kolmogorovSmirnovDistance([10, 20, 30, 20, 20], [5, 5, 20, 10, 10])).toBeCloseTo(0.1, 12);
    expect(kolmogorovSmirnovDistance([1, 0], [0, 7])).toBe(1);
    expect(kolmogorovSmirnovDistance([3, 5], [30, 50])).toBe(0);
  });
  it('is NaN for an empty histogram and refuses other bins', () => {
    expect(kolmogorovSmirnovDistance([0, 0], [1, 2])).toBeNaN();
    expect(() => kolmogorovSmirnovDistance([1], [1, 2])).toThrow(RangeError);
  });
});

describe('population stability index', () => {
  // Labelled flights out of New York in January to April 2013 by carrier, 9E to YV; indices against January from a
  // separate Python program: 0.0006, 0.0032, 0.0053.
  const january = [1480, 2724, 62, 4413, 3655, 3964, 59, 324, 31, 2203, 1, 4590, 1554, 314, 985, 39];
  it.each([
    ['February', [1341, 2399, 54, 3945, 3303, 3539, 48, 282, 28, 1894, 0, 4157, 1456, 261, 858, 46], 0.0006],
    ['March', [1510, 2741, 62, 4746, 4124, 4371, 57, 303, 31, 2133, 0, 4909, 1645, 303, 949, 18], 0.0032],
    ['April', [1399, 2649, 60, 4459, 4080, 4321, 57, 303, 30, 2087, 0, 4978, 1675, 466, 964, 36], 0.0053],
  ])('of carriers in %s agrees with an independent computation', (_, month, expected) => {
    expect(populationStabilityIndex(january, month)).toBeCloseTo(expected, 4);
  });
  it('puts a value on an edge into the bin below it and missing values into a bin of their own', () => {
    const edges = decileEdges(Float64Array.of(...Array.from({ length: 11 }, (_, place) => place), Number.NaN));
    expect(edges).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((edge) => expect.closeTo(edge, 12)));
    expect(countByEdges(Float64Array.of(0, 5, 5.5, 99, Number.NaN), [5, 10])).toEqual([2, 1, 1, 1]);
    expect(decileEdges(Float64Array.of(3, 3, 3, 3))).toEqual([3]);
    expect(decileEdges(new Float64Array())).toEqual([]);
    expect(populationStabilityIndex([0], [1])).toBeNaN();
  });
});
