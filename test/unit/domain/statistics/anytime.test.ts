import { describe, expect, it } from 'vitest';
import { AnytimeDifference, anytimeDifferenceInterval } from '../../../../domain/statistics/anytime-difference.js';
import { anytimeDistanceInterval } from '../../../../domain/statistics/anytime-distance.js';
import { constrainedMeans } from '../../../../domain/statistics/constrained-means.js';
import { logBeta, logGamma } from '../../../../domain/statistics/log-gamma.js';
import { seededRandom } from '../../../../domain/statistics/random.js';

const sample = ([count = 0, sum = 0]: readonly number[]) => ({ count, sum });

describe('logGamma and logBeta', () => {
  it('agree with scipy.special.gammaln and betaln', () => {
    const expected = [
      [0.5, 0.5723649429247001],
      [1, 0],
      [30.5, 72.9534711841694],
      [1234.5, 7550.550901077894],
    ] as const;
    for (const [x, value] of expected) expect(logGamma(x)).toBeCloseTo(value, 9);
    expect(logBeta(0.5, 30)).toBeCloseTo(-1.1240672740766993, 11);
  });
});

describe('AnytimeDifference', () => {
  // python test/unit/domain/statistics/anytime_oracle.py in an environment of infra/tools/oracles.requirements.txt.
  // Mixture by scipy.special.betaln, the likeliest pair of means by scipy.optimize.minimize_scalar, limits by
  // scipy.optimize.brentq. The same program finds the mixture of one arm equal to confseq 0.0.11's
  // beta_binomial_log_mixture.
  it.each([
    [[300, 0], [5000, 0], -4.44983039697985, -0.001809361245362778, 0.024513094357011135],
    [[300, 3], [5000, 25], -178.39215078167913, -0.0076755723299056595, 0.044212948827237704],
    [[300, 30], [5000, 0], -104.40213634820553, 0.03714621024975833, 0.1938315647396189],
    [[300, 150], [5000, 2500], -3681.936158018386, -0.14792297475806274, 0.1386813459464266],
    [[300, 300], [300, 0], -7.542492874013103, 0.9599149421920077, 1],
    [[300, 300], [5000, 5000], -8.94880656591388, -0.04417450815698712, 0.002386056598578457],
    [[1, 0], [1, 1], -2.0169374724045417, -1, 0.8368667116551871],
    [[100, 0.3], [200, 150.5], -120.16162161714097, -0.8720353963952228, -0.5960398078385025],
    [[100_000, 3], [2_000_000, 41], -527.4647181036421, -3.5351731472920016e-5, 0.00019523176769493527],
  ])('has the limits of SciPy for %j and %j', (first, second, logMixture, low, high) => {
    const found = anytimeDifferenceInterval(sample(first), sample(second), { low: 0.01, high: 0.05 });
    expect(found.low).toBeCloseTo(low, 7);
    expect(found.high).toBeCloseTo(high, 7);
    const difference = new AnytimeDifference(sample(first), sample(second));
    const { estimate } = difference;
    const likeliest = constrainedMeans(sample(first), sample(second), estimate).logLikelihood;
    expect(difference.logEvidenceAgainst(estimate) + likeliest).toBeCloseTo(logMixture, 6);
  });

  it('puts the evidence at a limit at log(1/alpha), and never on the inner side of it', () => {
    const random = seededRandom(5);
    for (let draw = 0; draw < 100; draw++) {
      const [count, secondCount] = [1 + random.below(3000), 1 + random.below(3000)];
      const difference = new AnytimeDifference(
        { count, sum: random.below(count + 1) },
        { count: secondCount, sum: random.below(secondCount + 1) },
      );
      const [low, high] = [difference.lowerLimit(0.01), difference.upperLimit(0.05)];
      expect(low).toBeLessThanOrEqual(difference.estimate);
      expect(high).toBeGreaterThanOrEqual(difference.estimate);
      if (high < 1) expect(difference.logEvidenceAgainst(high)).toBeGreaterThan(Math.log(20) - 1e-6);
      if (high < 1) expect(difference.logEvidenceAgainst(high)).toBeLessThan(Math.log(20) + 1e-5);
      if (low > -1) expect(difference.logEvidenceAgainst(low)).toBeGreaterThan(Math.log(100) - 1e-6);
    }
  });

  it('is nowhere above the likelihood at other pairs of means with the same difference', () => {
    const random = seededRandom(6);
    for (let draw = 0; draw < 80; draw++) {
      const [count, secondCount] = [1 + random.below(500), 1 + random.below(5000)];
      const first = { count, sum: random.below(count + 1) };
      const second = { count: secondCount, sum: (random.below(1001) / 1000) * secondCount };
      const difference = (random.below(1999) - 999) / 1000;
      const { logLikelihood, first: mean, second: secondMean } = constrainedMeans(first, second, difference);
      expect(mean - secondMean).toBeCloseTo(difference, 12);
      for (let part = 1; part < 20; part++) {
        const other = Math.max(0, -difference) + (part / 20) * (1 - Math.abs(difference));
        const at = (of: typeof first, value: number) =>
          of.sum * Math.log(value) + (of.count - of.sum) * Math.log1p(-value);
        expect(at(first, other + difference) + at(second, other)).toBeLessThanOrEqual(logLikelihood + 1e-7);
      }
    }
  });

  it('is symmetric, and without a chance to err says nothing', () => {
    const [first, second] = [sample([300, 12]), sample([700, 31])];
    const one = anytimeDifferenceInterval(first, second, { low: 0.01, high: 0.05 });
    const other = anytimeDifferenceInterval(second, first, { low: 0.05, high: 0.01 });
    expect([one.low, one.high]).toEqual([-other.high, -other.low]);
    expect(anytimeDifferenceInterval(first, second, { low: 0, high: 0 })).toMatchObject({ low: -1, high: 1 });
  });

  it('refuses no values, sums that are impossible, and what is not a number', () => {
    for (const wrong of [
      [0, 0],
      [5, 6],
      [5, -1],
      [5, NaN],
      [NaN, 0],
      [-5, 0],
      [Infinity, 3],
    ])
      expect(() => new AnytimeDifference(sample(wrong), sample([5, 1]))).toThrow(RangeError);
  });

  it('covers the true difference at every look together but for its alphas, also for values between 0 and 1', () => {
    const random = seededRandom(7);
    const uniform = () => random.uint32() / 4_294_967_296;
    let [missed, runs] = [0, 100];
    for (let run = 0; run < runs; run++) {
      const [first, second] = [sample([0, 0]), sample([0, 0])];
      let covered = true;
      for (let look = 0; look < 60 && covered; look++) {
        for (let value = 0; value < 10; value++) {
          first.sum += uniform() ** 2;
          second.sum += Number(uniform() < 0.3);
        }
        first.count += 10;
        second.count += 10;
        const { low, high } = anytimeDifferenceInterval(first, second, { low: 0.1, high: 0.1 });
        covered = low <= 1 / 3 - 0.3 && high >= 1 / 3 - 0.3;
      }
      if (!covered) missed += 1;
    }
    expect(missed / runs).toBeLessThanOrEqual(0.2);
  });
});

describe('anytimeDistanceInterval', () => {
  const alphas = { low: 0.01, high: 0.05 };

  it('of two bins is the interval of one difference, its sign left out', () => {
    const one = new AnytimeDifference(sample([300, 240]), sample([400, 200]));
    const found = anytimeDistanceInterval([240, 60], [200, 200], alphas);
    expect(found.estimate).toBeCloseTo(0.3, 12);
    expect(found.high).toBeCloseTo(one.upperLimit(0.05), 7);
    expect(found.low).toBeCloseTo(one.lowerLimit(0.01), 5);
  });

  it('narrows around the true distance with more values, and finds 0 between equal histograms', () => {
    const bins = (scale: number, shift: number) =>
      Array.from({ length: 20 }, (_, bin) => scale * (1 + (bin >= 10 ? shift : -shift)));
    const [few, many] = [10, 1000].map((scale) => anytimeDistanceInterval(bins(scale, 0.4), bins(scale, 0), alphas));
    expect(few!.estimate).toBeCloseTo(0.2, 12);
    expect(many!.low).toBeGreaterThan(0.15);
    expect(many!.low).toBeLessThan(0.2);
    expect(many!.high).toBeLessThan(0.25);
    expect(few!.low).toBeLessThan(many!.low);
    expect(few!.high).toBeGreaterThan(many!.high);
    expect(anytimeDistanceInterval(bins(50, 0), bins(50, 0), alphas).low).toBe(0);
  });

  it('does not care about empty bins, and refuses an empty histogram', () => {
    const [first, second] = [
      [0, 40, 0, 0, 60, 0],
      [0, 70, 0, 0, 30, 0],
    ];
    expect(anytimeDistanceInterval(first!, second!, alphas)).toMatchObject({ estimate: expect.closeTo(0.3, 12) });
    expect(() => anytimeDistanceInterval([0, 0], [1, 2], alphas)).toThrow(RangeError);
    expect(() => anytimeDistanceInterval([1], [1, 2], alphas)).toThrow(RangeError);
  });
});
