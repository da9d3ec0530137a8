import { describe, expect, it } from 'vitest';
import { judgePolicySchema, judgedMetricSchema } from '../../../../../domain/rollout/judge/judge-policy.js';
import { judgeStage, type Observed, type Sample, type StageInput } from '../../../../../domain/rollout/judge/judge.js';
import { addWindows } from '../../../../../domain/serving/serving-totals.js';
import { binsOf, scoreBin } from '../../../../../domain/serving/serving-window.js';

const seen = (samples: Record<string, Sample>, requests = 5000, errors = 0): Observed => ({
  ...addWindows([]),
  requests,
  errors,
  samples,
});
const sample = (name: string, count: number, mean: number) => ({ [name]: { count, sum: count * mean } });

function judge(metric: object, champion: Observed, challenger: Observed, more: Partial<StageInput> = {}) {
  const policy = judgePolicySchema.parse({ metrics: [{ metric: 'errorShare' }, metric] });
  return judgeStage({
    ...{ policy, alpha: policy.alpha, stage: { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 } },
    ...{ outcome: null, horizon: null, coldRequests: 0, champion, challenger },
    ...more,
  });
}

describe('a metric of the prediction log or labels', () => {
  const amount = { metric: 'value', name: 'amount', from: 'amount', min: 100, max: 300, margin: 10, harm: 40 };
  const valued = (count: number, mean: number) => seen(sample('value:amount', count, mean));

  it('is judged and explained in its own unit', () => {
    const { metrics } = judge({ ...amount, direction: 'lower-is-better' }, valued(5000, 0.2), valued(5000, 0.4));
    expect(metrics[1]).toMatchObject({ metric: 'value:amount', verdict: 'fail', margin: 10 });
    expect(metrics[1]?.champion).toBeCloseTo(140, 9);
    expect(metrics[1]?.challenger).toBeCloseTo(180, 9);
    expect(metrics[1]?.difference).toBeCloseTo(40, 9);
    expect(metrics[1]?.interval?.low).toBeGreaterThan(10);
    expect(metrics[1]?.reason).toMatch(
      /^Mean of amount: 180 of the challenger's 5000 predictions and 140 .*, 10 more is accepted\.$/,
    );
  });

  it('knows which direction is worse', () => {
    const higher = { ...amount, direction: 'higher-is-better' };
    expect(judge(higher, valued(5000, 0.2), valued(5000, 0.4)).metrics[1]?.verdict).toBe('pass');
    const worse = judge(higher, valued(5000, 0.4), valued(5000, 0.2)).metrics[1];
    expect(worse).toMatchObject({ verdict: 'fail', difference: expect.closeTo(-40, 9) });
    expect(worse?.interval?.high).toBeLessThan(-10);
    expect(worse?.interval?.low).toBeLessThan(-40);
    expect(worse?.reason).toContain('10 less is accepted');
  });

  it('has no data before each version has its labels, and none is never a pass', () => {
    const error = { metric: 'quality', loss: 'error', margin: 0.02, harm: 0.1, minLabels: 500 };
    const labelled = (count: number, share: number) => seen(sample('quality:error', count, share));
    expect(judge(error, labelled(5000, 0.1), seen({})).metrics[1]?.verdict).toBe('no-data');
    expect(judge(error, labelled(5000, 0.1), seen({})).verdict).toBe('no-data');
    const early = judge(error, labelled(5000, 0.1), labelled(499, 0.1)).metrics[1];
    expect(early).toMatchObject({ verdict: 'no-data', reason: expect.stringContaining('each needs 500') });
    expect(judge(error, labelled(5000, 0.1), labelled(5000, 0.3)).verdict).toBe('fail');
    expect(judge(error, labelled(20_000, 0.1), labelled(20_000, 0.1)).verdict).toBe('pass');
  });

  it('of log loss is in nats, clipped at 10', () => {
    const logLoss = { metric: 'quality', loss: 'logLoss', margin: 0.2, harm: 1 };
    const of = (mean: number) => seen(sample('quality:logLoss', 5000, mean / 10));
    const { metrics } = judge(logLoss, of(0.4), of(1.4));
    expect(metrics[1]).toMatchObject({
      verdict: 'fail',
      challenger: expect.closeTo(1.4, 9),
      reason: expect.stringContaining('1.4 nats'),
    });
  });

  it('is not compared with other minutes', () => {
    const stage = { comparison: 'before', decides: 'not-worse', minRequests: 1 } as const;
    const { metrics } = judge({ ...amount, direction: 'lower-is-better' }, valued(5000, 0.2), valued(5000, 0.9), {
      stage,
    });
    expect(metrics.map(({ metric }) => metric)).toEqual(['errorShare']);
  });

  it('that contradicts itself is no data', () => {
    for (const wrong of [
      { count: 5, sum: 6 },
      { count: 5.5, sum: 1 },
      { count: -1, sum: 0 },
      { count: 9, sum: NaN },
    ])
      expect(
        judge({ ...amount, direction: 'lower-is-better' }, valued(500, 0.5), seen({ 'value:amount': wrong })).metrics[1]
          ?.verdict,
      ).toBe('no-data');
  });
});

describe('an A/B test', () => {
  const outcome = judgedMetricSchema.parse({
    metric: 'outcome',
    direction: 'higher-is-better',
    marginPct: 1,
    harmPct: 5,
  });
  const policy = judgePolicySchema.parse({ metrics: [{ metric: 'errorShare' }] });
  const bought = (count: number, share: number, errors = 0) => seen(sample('outcome', count, share), 20_000, errors);
  const test = (
    champion: Observed,
    challenger: Observed,
    kind: 'sequential' | 'fixed' = 'sequential',
    observations = 10_000,
  ) =>
    judgeStage({
      ...{
        policy,
        alpha: policy.alpha,
        stage: { comparison: 'same-minutes', decides: 'better', minRequests: 1 },
        outcome,
      },
      ...{ horizon: { kind, observations }, coldRequests: 0, champion, challenger },
    });

  it('is won by a challenger that is better by more than the margin, and lost by one that is not', () => {
    expect(test(bought(9000, 0.1), bought(9000, 0.15))).toMatchObject({
      verdict: 'pass',
      winner: 'challenger',
      atHorizon: false,
    });
    expect(test(bought(9000, 0.1), bought(9000, 0.06))).toMatchObject({ verdict: 'fail', winner: 'champion' });
    expect(test(bought(90_000, 0.1), bought(90_000, 0.1))).toMatchObject({ verdict: 'fail', winner: 'champion' });
    expect(test(bought(9000, 0.1), bought(9000, 0.11))).toMatchObject({ verdict: 'inconclusive', winner: null });
    expect(test(bought(9000, 0.1), bought(9000, 0.15)).metrics[0]?.reason).toContain(
      'at least 1.00 % more is required',
    );
  });

  it('without a winner at its horizon says that the horizon is reached', () => {
    expect(test(bought(10_000, 0.1), bought(10_000, 0.11))).toMatchObject({
      verdict: 'inconclusive',
      winner: null,
      atHorizon: true,
    });
    expect(test(bought(10_000, 0.1), bought(9_999, 0.11)).atHorizon).toBe(false);
  });

  it('is failed by a guard meanwhile, whatever the outcome', () => {
    expect(test(bought(9000, 0.1), bought(9000, 0.15, 2000))).toMatchObject({ verdict: 'fail', winner: 'champion' });
    expect(test(bought(10, 0), bought(10, 0, 2000), 'fixed')).toMatchObject({ verdict: 'fail', winner: 'champion' });
  });

  it('of a fixed horizon is not looked at before, and then needs less than one that is looked at all the time', () => {
    const before = test(bought(9_999, 0.1), bought(10_000, 0.2), 'fixed');
    expect(before).toMatchObject({ verdict: 'no-data', winner: null, atHorizon: false });
    expect(before.metrics[0]).toMatchObject({ interval: null, reason: expect.stringContaining('judged once') });
    expect(test(bought(10_000, 0.1), bought(10_000, 0.126), 'fixed')).toMatchObject({
      verdict: 'pass',
      winner: 'challenger',
      atHorizon: true,
    });
    expect(test(bought(10_000, 0.1), bought(10_000, 0.126)).verdict).toBe('inconclusive');
  });
});

describe('a policy of the judge', () => {
  it('names the field of what cannot be', () => {
    const issue = (metrics: object[]) => judgePolicySchema.safeParse({ metrics }).error?.issues[0];
    expect(issue([{ metric: 'scoreDistance' }])).toMatchObject({
      path: ['metrics'],
      message: expect.stringContaining('errorShare or slowShare'),
    });
    expect(issue([{ metric: 'errorShare', marginPct: 10, harmPct: 5 }])).toMatchObject({
      path: ['metrics', 0, 'harmPct'],
    });
  });

  it('shares its alpha: a metric beside others fails later than alone', () => {
    const low = (metrics: object[]) => {
      const policy = judgePolicySchema.parse({ metrics });
      const { metrics: judged } = judgeStage({
        ...{ policy, alpha: policy.alpha, stage: { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 } },
        ...{
          outcome: null,
          horizon: null,
          coldRequests: 0,
          champion: seen({}, 1000, 10),
          challenger: seen({}, 1000, 60),
        },
      });
      return judged[0]!.interval!.low;
    };
    const alone = low([{ metric: 'errorShare' }]);
    expect(low([{ metric: 'errorShare' }, { metric: 'slowShare' }, { metric: 'scoreDistance' }])).toBeLessThan(alone);
    expect(low([{ metric: 'errorShare', alpha: 0.04 }, { metric: 'slowShare' }])).toBeGreaterThan(
      low([{ metric: 'errorShare' }, { metric: 'slowShare' }]),
    );
  });
});

describe('the distance between numbers without bounds', () => {
  const rows = 4_000;
  /** A bell curve around `mean`, rank by rank: the same for everybody. */
  const counted = (mean: number, bins: 'unit' | 'unbounded' = 'unbounded', width = 20): Observed => {
    const scores = new Array<number>(binsOf(bins)).fill(0);
    for (let row = 0; row < rows; row += 1) {
      const share = (row + 0.5) / rows;
      const bin = scoreBin(bins, mean + width * 0.5513 * Math.log(share / (1 - share)));
      scores[bin] = (scores[bin] ?? 0) + 1;
    }
    return { ...seen({}), scores };
  };
  const distance = (champion: Observed, challenger: Observed) =>
    judge({ metric: 'scoreDistance' }, champion, challenger).metrics[1];

  it('is that of their counts in a sketch, for values of either sign', () => {
    expect(distance(counted(250), counted(250))).toMatchObject({ verdict: 'pass', difference: 0 });
    expect(distance(counted(-250), counted(-252))).toMatchObject({ verdict: 'pass' });
    const moved = distance(counted(250), counted(310));
    expect(moved).toMatchObject({
      verdict: 'fail',
      champion: expect.closeTo(250, -1),
      challenger: expect.closeTo(310, -1),
    });
    // Of two logistic curves three widths apart; bins tell a little less.
    expect(moved?.difference).toBeGreaterThan(0.8);
    expect(distance(counted(250), counted(-250))).toMatchObject({ verdict: 'fail', difference: 1 });
  });

  it('is not asked of counts in other bins', () => {
    expect(distance(counted(0.5, 'unit', 0.1), counted(250))).toMatchObject({
      verdict: 'no-data',
      reason: expect.stringContaining('different bins') as string,
    });
  });
});
