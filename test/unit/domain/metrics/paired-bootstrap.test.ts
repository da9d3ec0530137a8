import { describe, expect, it } from 'vitest';
import { rankedMeasurer } from '../../../../domain/metrics/binary-measurer.js';
import { pairedBootstrap } from '../../../../domain/metrics/paired-bootstrap.js';
import { seededRandom, seedOfDigest } from '../../../../domain/statistics/random.js';
import { rankScores } from '../../../../domain/statistics/ranked-scores.js';
import { levelsOfNumbers } from '../../../../domain/statistics/slice-levels.js';
import { ranked, sample, sampleLabels, sampleScores } from '../statistics/sample-problem.js';

const champion = rankScores(
  sampleLabels,
  sampleScores.map((score) => score * 0.8 + 0.1),
);

describe('pairedBootstrap', () => {
  // W = np.random.default_rng(0).multinomial(400, np.ones(400) / 400, size=20000), with s2 = 0.8 s + 0.1 as the
  // champion: np.quantile(W @ ((s - y)**2 - (s2 - y)**2) / 400, [.025, .975]) → 0.00050, 0.01011
  // np.quantile([roc_auc_score(y, s, sample_weight=w) for w in W[:4000]], [.025, .975]) → 0.7148, 0.8090 np.quantile(2
  // * (W @ ((s >= .5) & (y == 1))) / (W @ (s >= .5) + W @ y), [.025, .975]) → 0.6254, 0.7365
  it('gives the intervals of an independent bootstrap in NumPy', () => {
    const { candidate, differences } = pairedBootstrap({
      candidate: rankedMeasurer(sample, { threshold: 0.5 }),
      champion: rankedMeasurer(champion, { threshold: 0.5 }),
      resamples: 4000,
      confidencePct: 95,
      seed: 1,
    });
    expect(Math.abs((differences.brier?.low ?? 9) - 0.0005)).toBeLessThan(0.0004);
    expect(Math.abs((differences.brier?.high ?? 9) - 0.01011)).toBeLessThan(0.0004);
    expect(Math.abs((candidate.rocAuc?.low ?? 9) - 0.7148)).toBeLessThan(0.003);
    expect(Math.abs((candidate.rocAuc?.high ?? 9) - 0.809)).toBeLessThan(0.003);
    expect(Math.abs((candidate.f1?.low ?? 9) - 0.6254)).toBeLessThan(0.004);
    expect(Math.abs((candidate.f1?.high ?? 9) - 0.7365)).toBeLessThan(0.004);
    // The same ranking on the same rows: paired, the difference of areas is 0 in each round; unpaired it would spread
    // over 0.1.
    expect(differences.rocAuc).toEqual({ low: 0, high: 0, confidencePct: 95 });
  });

  it('gives the same numbers for the same seed and others for another', () => {
    const run = (seed: number) =>
      pairedBootstrap({
        candidate: rankedMeasurer(sample, { threshold: 0.5 }),
        champion: null,
        resamples: 100,
        confidencePct: 90,
        seed,
      });
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
    expect(run(5).differences).toEqual({});
  });

  it('gives no interval for a metric that too many resamples leave undefined, nor without rows', () => {
    // One positive of three rows is missing from (2/3)^3 = 30 % of resamples.
    const { candidate } = pairedBootstrap({
      candidate: rankedMeasurer(ranked([1, 0, 0], [0.9, 0.2, 0.1]), { threshold: 0.5 }),
      champion: null,
      resamples: 200,
      confidencePct: 95,
      seed: 1,
    });
    expect(candidate.rocAuc).toBeUndefined();
    expect(candidate.logLoss).toBeDefined();
    expect(
      pairedBootstrap({
        candidate: rankedMeasurer(ranked([], []), { threshold: 0.5 }),
        champion: null,
        resamples: 200,
        confidencePct: 95,
        seed: 1,
      }).candidate,
    ).toEqual({});
  });

  it('refuses a champion with another number of rows', () => {
    const other = rankedMeasurer(ranked([1, 0], [0.9, 0.1]), { threshold: 0.5 });
    expect(() =>
      pairedBootstrap({
        candidate: rankedMeasurer(sample, { threshold: 0.5 }),
        champion: other,
        resamples: 100,
        confidencePct: 95,
        seed: 1,
      }),
    ).toThrow('the champion has 2 rows, the candidate 400');
  });
});

describe('seededRandom', () => {
  // The same recurrence written a second time, with Python's unbounded integers; numbers 16 to 20. Not compared with
  // PractRand's own program.
  it('is sfc32', () => {
    const five = (seed: number) => {
      const random = seededRandom(seed);
      return [1, 2, 3, 4, 5].map(() => random.uint32());
    };
    expect(five(42)).toEqual([3011021589, 3960382089, 1547270628, 4040468816, 1355524940]);
    expect(five(0xdeadbeef)).toEqual([90949892, 1506718039, 2200061951, 2068866655, 1262576606]);
    expect(five(seedOfDigest('deadbeef' + '0'.repeat(56)))).toEqual(five(0xdeadbeef));
  });
  it('draws every number below n about equally often', () => {
    const random = seededRandom(9);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)]!++;
    // Chi-squared with 9 degrees of freedom: 27.88 is the 0.999 quantile.
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.88);
  });
});

describe('levels of a slice', () => {
  it('are the values of a number with few of them and the stretches between quartiles of one with many', () => {
    expect(levelsOfNumbers('dow', Float32Array.of(1, 0, 1, Number.NaN))).toMatchObject({
      levels: ['1', '0', '(missing)'],
      codes: Int32Array.of(0, 1, 0, 2),
    });
    const many = levelsOfNumbers(
      'x',
      Float32Array.from({ length: 101 }, (_, place) => place),
    );
    expect(many.levels).toEqual(['up to 25', 'above 25 up to 50', 'above 50 up to 75', 'above 75']);
    expect(many.codes.filter((code) => code === 0)).toHaveLength(26);
  });
});
