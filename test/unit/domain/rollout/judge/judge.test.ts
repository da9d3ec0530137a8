import { describe, expect, it } from 'vitest';
import { judgePolicySchema } from '../../../../../domain/rollout/judge/judge-policy.js';
import { judgeStage, type Observed, type StageInput } from '../../../../../domain/rollout/judge/judge.js';
import {
  addWindows,
  latencyQuantileMs,
  slowAnswers,
  slowBoundMs,
} from '../../../../../domain/serving/serving-totals.js';
import { latencyBoundsMs, scoreBins } from '../../../../../domain/serving/serving-window.js';
import { seededRandom, type Random } from '../../../../../domain/statistics/random.js';

const policy = judgePolicySchema.parse({});
const stage: StageInput['stage'] = { comparison: 'same-minutes', decides: 'not-worse', minRequests: 300 };

interface Traffic {
  requests: number;
  errors?: number;
  slow?: number;
  /** Added to each score bin. */
  shift?: number;
  samples?: Observed['samples'];
  random?: Random;
}

/** Totals of so much traffic: answers in 5 ms, slow ones in 200 ms, scores drawn with most near 0. */
function traffic({
  requests,
  errors = 0,
  slow = 0,
  shift = 0,
  samples = {},
  random = seededRandom(requests),
}: Traffic): Observed {
  const totals = { ...addWindows([]), samples };
  totals.requests = requests;
  totals.errors = errors;
  totals.latency[latencyBoundsMs.indexOf(5)] = requests - errors - slow;
  totals.latency[latencyBoundsMs.indexOf(200)] = slow;
  for (let row = 0; row < requests - errors; row++)
    totals.scores[Math.min(scoreBins - 1, Math.min(random.below(100), random.below(100)) + shift)]!++;
  return totals;
}

const input = (challenger: Observed, champion: Observed | null, more: Partial<StageInput> = {}): StageInput => ({
  ...{ policy, alpha: policy.alpha, stage, outcome: null, horizon: null, coldRequests: 0 },
  ...{ champion, challenger },
  ...more,
});
const judge = (
  challenger: Traffic,
  champion: Traffic | null = { requests: 5000, slow: 25 },
  more: Partial<StageInput> = {},
) => judgeStage(input(traffic(challenger), champion && traffic(champion), more));

describe('judgeStage', () => {
  it('passes an honest challenger under the default policy: 500 requests against 5,000, no error, few slow', () => {
    const { verdict, metrics, waitsFor, winner } = judge({ requests: 500, slow: 3 });
    expect(metrics.map((metric) => [metric.metric, metric.verdict])).toEqual([
      ['errorShare', 'pass'],
      ['slowShare', 'pass'],
      ['scoreDistance', 'pass'],
    ]);
    expect({ verdict, waitsFor, winner }).toEqual({ verdict: 'pass', waitsFor: null, winner: null });
  });

  it('says of a fail before its time what failed, and not what would still be missing for a pass', () => {
    expect(judge({ requests: 60, errors: 30 })).toMatchObject({ verdict: 'fail', waitsFor: null });
  });

  it.each([
    ['errors', { requests: 300, errors: 30 }, 'errorShare'],
    ['slowness', { requests: 300, slow: 60 }, 'slowShare'],
    ['other scores', { requests: 300, shift: 60 }, 'scoreDistance'],
  ])('fails a challenger for its %s', (_, challenger, culprit) => {
    const { verdict, metrics, waitsFor } = judge(challenger);
    expect(verdict).toBe('fail');
    expect(waitsFor).toBeNull();
    expect(metrics.filter((metric) => metric.verdict === 'fail').map((metric) => metric.metric)).toEqual([culprit]);
  });

  it('is inconclusive between, and the same shares on more requests decide', () => {
    expect(judge({ requests: 300, errors: 6 }).verdict).toBe('inconclusive');
    expect(judge({ requests: 30_000, errors: 150 }).verdict).toBe('pass');
    expect(judge({ requests: 30_000, errors: 1000 }, { requests: 50_000 }).verdict).toBe('fail');
  });

  it('accepts a difference within the margin: an honest model may shift the scores', () => {
    expect(judge({ requests: 3000, shift: 8 }).verdict).toBe('pass');
  });

  it('does not blame the challenger for what the champion suffers too', () => {
    expect(
      judge({ requests: 12_000, errors: 1200, slow: 1200 }, { requests: 20_000, errors: 2000, slow: 2000 }).verdict,
    ).toBe('pass');
  });

  it('says why in numbers and units', () => {
    const { metrics } = judge({ requests: 300, errors: 30 });
    expect(metrics[0]?.reason).toMatch(
      /^Share of requests without an answer: 10\.00 % of the challenger's 300 requests and 0\.00 % of the champion's 5000; the difference lies between \d.*% and .*%, 2\.00 % more is accepted\.$/,
    );
  });

  it('has no data before the least number of requests, says how many are missing, and fails what already harms', () => {
    expect(judge({ requests: 299 })).toMatchObject({
      verdict: 'no-data',
      waitsFor: expect.stringContaining('needs 1 more'),
    });
    expect(judge({ requests: 0 }).verdict).toBe('no-data');
    expect(judge({ requests: 60, errors: 60 }).verdict).toBe('fail');
    const broken = { ...traffic({ requests: 300 }), requests: Number.NaN };
    expect(judgeStage(input(broken, traffic({ requests: 300 }))).verdict).toBe('no-data');
  });

  it('has no data without a champion to compare with', () => {
    expect(judge({ requests: 300 }, null)).toMatchObject({
      verdict: 'no-data',
      waitsFor: expect.stringContaining('same minutes'),
    });
    expect(judge({ requests: 300 }, { requests: 0 }).verdict).toBe('no-data');
    const last = { stage: { ...stage, comparison: 'before' as const } };
    expect(judge({ requests: 300 }, null, last)).toMatchObject({
      verdict: 'no-data',
      championFrom: 'before',
      waitsFor: expect.stringContaining('before this stage'),
    });
    expect(judge({ requests: 500 }, { requests: 5000 }, last)).toMatchObject({
      verdict: 'pass',
      championFrom: 'before',
    });
    const unjudged = { stage: { ...stage, comparison: 'none' as const } };
    expect(judge({ requests: 500 }, { requests: 5000 }, unjudged)).toMatchObject({ verdict: 'no-data', metrics: [] });
  });

  it('compares scores on the same minutes only: other minutes bring other rows', () => {
    const asked = (more: object = {}) =>
      judge({ requests: 300 }, { requests: 5000 }, more).metrics.map((metric) => metric.metric);
    expect(asked()).toEqual(['errorShare', 'slowShare', 'scoreDistance']);
    expect(asked({ stage: { ...stage, comparison: 'before' } })).toEqual(['errorShare', 'slowShare']);
  });

  it('does not pass a challenger that answered nothing, nor counts that contradict each other', () => {
    expect(judge({ requests: 300, errors: 300 }).verdict).toBe('fail');
    const champion = traffic({ requests: 5000 });
    const silent = { ...traffic({ requests: 0 }), requests: 500 };
    const { verdict, metrics } = judgeStage(input(silent, champion));
    expect(verdict).toBe('no-data');
    expect(metrics.map((metric) => metric.verdict)).toEqual(['pass', 'no-data', 'no-data']);
    for (const errors of [301, -1, Number.NaN]) {
      const impossible = { ...traffic({ requests: 300 }), errors };
      expect(judgeStage(input(impossible, champion)).metrics[0]?.verdict).toBe('no-data');
    }
  });

  it('says what was left out, and shows latency quantiles', () => {
    const judged = judge({ requests: 500, slow: 50 }, { requests: 5000 }, { coldRequests: 40 });
    expect(judged.leftOut).toMatch(/^40 requests of champion and challenger are left out/);
    expect(judged.latency).toEqual({
      champion: { p50: 3.5, p95: 4.85, p99: 4.97 },
      challenger: { p50: expect.closeTo(3.67, 2), p95: 150, p99: 190 },
    });
    expect(judge({ requests: 500 }).leftOut).toBeNull();
  });
});

describe('serving totals', () => {
  const window = (id: string) => ({ id, ...traffic({ requests: 10, errors: 1, slow: 2 }) });

  it('add windows up, each once', () => {
    const totals = addWindows([window('a'), window('b'), window('a')]);
    expect(totals).toMatchObject({ requests: 20, errors: 2 });
    expect(totals.latency.reduce((sum, count) => sum + count, 0)).toBe(18);
    expect(totals.scores.reduce((sum, count) => sum + count, 0)).toBe(18);
    expect(addWindows([])).toMatchObject({ requests: 0, errors: 0 });
  });

  it('round a latency limit up to a bound of the histogram', () => {
    expect([1, 1.5, 100, 101, 5000, 9000].map(slowBoundMs)).toEqual([1, 2, 100, 200, 5000, 5000]);
    const latency = [0, 0, 5, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1];
    expect(slowAnswers(latency, 100)).toEqual({ slow: 3, answers: 11 });
    expect(slowAnswers(latency, 60)).toEqual({ slow: 3, answers: 11 });
    expect(slowAnswers(latency, 200)).toEqual({ slow: 1, answers: 11 });
    expect(slowAnswers(latency, 9000)).toEqual({ slow: 1, answers: 11 });
  });

  it('estimate latency quantiles within their bucket', () => {
    const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0);
    expect(latencyQuantileMs(latency, 0.5)).toBeNull();
    latency[latencyBoundsMs.indexOf(20)] = 100;
    expect(latencyQuantileMs(latency, 0.5)).toBe(15);
    expect(latencyQuantileMs(latency, 1)).toBe(20);
    latency[latencyBoundsMs.length] = 100;
    expect(latencyQuantileMs(latency, 0.99)).toBe(5000);
  });
});
