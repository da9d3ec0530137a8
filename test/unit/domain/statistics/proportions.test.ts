import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile } from '../../../../domain/statistics/beta-distribution.js';
import { normalQuantile } from '../../../../domain/statistics/normal-quantile.js';
import { exactDifferenceInterval, newcombeInterval } from '../../../../domain/statistics/proportion-difference.js';
import {
  clopperPearsonInterval,
  evenTails,
  wilsonInterval,
} from '../../../../domain/statistics/proportion-interval.js';

describe('quantiles', () => {
  it('of the normal distribution agree with scipy.stats.norm.ppf', () => {
    const expected = [
      [1e-6, -4.753424308822899],
      [0.00083333, -3.143981457607606],
      [0.025, -1.9599639845400545],
      [0.3, -0.5244005127080409],
      [0.5, 0],
      [0.8, 0.8416212335729143],
      [0.999, 3.090232306167813],
    ] as const;
    for (const [probability, value] of expected) expect(normalQuantile(probability)).toBeCloseTo(value, 7);
    expect(() => normalQuantile(0)).toThrow(RangeError);
    expect(() => normalQuantile(Number.NaN)).toThrow(RangeError);
  });
  it('of the beta distribution agree with scipy.stats.beta.cdf and ppf', () => {
    const cdf = [
      [0.3, 2, 5, 0.5798250000000003],
      [0.01, 1, 300, 0.9509591059287141],
      [0.002, 13, 4988, 0.20825367184226576],
      [0.5, 1000, 1000, 0.5],
      [0.9, 0.5, 0.5, 0.7951672353008665],
    ] as const;
    for (const [x, a, b, value] of cdf) expect(betaCdf(x, a, b)).toBeCloseTo(value, 10);
    const ppf = [
      [0.9975, 1, 300, 0.019773438164508515],
      [0.025, 5, 96, 0.016431879182052155],
      [0.00083333, 26, 4975, 0.0025756330603159843],
      [0.5, 2, 3, 0.3857275681323895],
    ] as const;
    for (const [probability, a, b, value] of ppf) expect(betaQuantile(probability, a, b)).toBeCloseTo(value, 11);
  });
});

describe('intervals of one share', () => {
  // scipy.stats.binomtest(k, n).proportion_ci(c, 'exact' | 'wilson')
  it.each([
    [0, 300, 95, [0, 0.012220974694296421], [0, 0.012642971224546036]],
    [3, 300, 95, [0.0020670072350923137, 0.028944511255692713], [0.003406618437715286, 0.02898349336233983]],
    [56, 70, 95, [0.6872643461042035, 0.886119637967692], [0.6918335550374693, 0.8769526075163704]],
    [70, 70, 99, [0.9271033341131564, 1], [0.9134219931741541, 1]],
    [26, 5000, 99.9, [0.002484519809264604, 0.009464551273755183], [0.002759044637668401, 0.009779316609249649]],
  ])('agree with SciPy for %i of %i at %s percent', (successes, trials, confidencePct, exact, wilson) => {
    const [clopperPearson, score] = [clopperPearsonInterval, wilsonInterval].map((interval) =>
      interval(successes, trials, evenTails(confidencePct)),
    );
    expect(clopperPearson).toEqual({
      estimate: successes / trials,
      low: expect.closeTo(exact[0] ?? NaN, 10),
      high: expect.closeTo(exact[1] ?? NaN, 10),
    });
    expect(score).toEqual({
      estimate: successes / trials,
      low: expect.closeTo(wilson[0] ?? NaN, 8),
      high: expect.closeTo(wilson[1] ?? NaN, 8),
    });
  });
  it('refuse impossible counts', () => {
    for (const [successes, trials] of [
      [0, 0],
      [2, 1],
      [-1, 5],
      [0.5, 5],
      [Number.NaN, 5],
    ] as const) {
      if (successes !== 0.5) expect(() => wilsonInterval(successes, trials, evenTails(95))).toThrow(RangeError);
      expect(() => clopperPearsonInterval(successes, trials, evenTails(95))).toThrow(RangeError);
    }
  });
});

describe('intervals of a difference of shares', () => {
  // Wilson limits from SciPy, squared and added in NumPy: x, y = (binomtest(k, n).proportion_ci(.95, 'wilson') for each
  // group); p - q - np.hypot(p - x.low, y.high - q), p - q + np.hypot(x.high - p, q - y.low). The groups are among the
  // examples of Newcombe 1998.
  it.each([
    [[56, 70], [48, 80], 0.0524, 0.3339],
    [[9, 10], [3, 10], 0.1705, 0.809],
    [[6, 7], [2, 7], 0.0582, 0.8062],
    [[5, 56], [0, 29], -0.0381, 0.1926],
    [[0, 10], [0, 20], -0.1611, 0.2775],
    [[10, 10], [0, 20], 0.6791, 1],
  ])(
    'by Newcombe agree with the Wilson limits of SciPy, squared and added, for %j and %j',
    ([a = 0, m = 0], [b = 0, n = 0], low, high) => {
      const found = newcombeInterval({ sum: a, count: m }, { sum: b, count: n }, evenTails(95));
      expect(found.low).toBeCloseTo(low, 4);
      expect(found.high).toBeCloseTo(high, 4);
    },
  );

  const binomial = (trials: number, share: number): number[] => {
    const masses = [(1 - share) ** trials];
    for (let k = 1; k <= trials; k++)
      masses.push(((masses[k - 1] ?? 0) * (trials - k + 1) * share) / (k * (1 - share)));
    return masses;
  };

  it.each([
    [300, 2000, 0.00001],
    [300, 2000, 0.005],
    [300, 2000, 0.02],
    [200, 200, 0.01],
  ])(
    'with exact limits err no more often than allowed: %i against %i requests, champion at %s, by enumeration',
    (first, second, share) => {
      const margin = 0.02;
      const alphas = { low: 0.05 / 60, high: 0.05 / 20 };
      const [ours, theirs] = [binomial(first, share + margin), binomial(second, share)];
      let [wrongPass, wrongFail] = [0, 0];
      for (const [a, p] of ours.entries()) {
        for (const [b, q] of theirs.entries()) {
          if (p * q < 1e-9) continue;
          const { low, high } = exactDifferenceInterval({ sum: a, count: first }, { sum: b, count: second }, alphas);
          if (high <= margin) wrongPass += p * q;
          if (low > margin) wrongFail += p * q;
        }
      }
      expect(wrongPass).toBeLessThanOrEqual(alphas.high);
      expect(wrongFail).toBeLessThanOrEqual(alphas.low);
      expect(wrongPass + wrongFail).toBeGreaterThan(0);
    },
  );
});
