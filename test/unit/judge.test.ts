import { describe, expect, it } from 'vitest';
import { judgeStep, type StepInput } from '../../domain/judge.js';
import { rolloutPolicySchema } from '../../domain/rollout-policy.js';
import { addWindows, latencyQuantileMs, slowAnswers, slowBoundMs, type ServingTotals } from '../../domain/serving-totals.js';
import { latencyBoundsMs, scoreBins } from '../../domain/serving-window.js';
import { seededRandom, type Random } from '../../domain/statistics/random.js';

const policy = rolloutPolicySchema.parse({ strategy: 'canary', steps: [{ sharePct: 100 }] }).judge;
const step = { sharePct: 5, minRequests: 300 };

interface Traffic {
  requests: number;
  errors?: number;
  slow?: number;
  /** Added to each score bin. */
  shift?: number;
  random?: Random;
}

/** Totals of so much traffic: answers in 5 ms, slow ones in 200 ms, scores drawn with most near 0. */
function traffic({ requests, errors = 0, slow = 0, shift = 0, random = seededRandom(requests) }: Traffic): ServingTotals {
  const totals = addWindows([]);
  totals.requests = requests;
  totals.errors = errors;
  totals.latency[latencyBoundsMs.indexOf(5)] = requests - errors - slow;
  totals.latency[latencyBoundsMs.indexOf(200)] = slow;
  for (let row = 0; row < requests - errors; row++)
    totals.scores[Math.min(scoreBins - 1, Math.min(random.below(100), random.below(100)) + shift)]!++;
  return totals;
}

const judge = (challenger: Traffic, champion: Traffic | null = { requests: 5000, slow: 25 }, more: Partial<StepInput> = {}) =>
  judgeStep({ policy, step, champion: champion && traffic(champion), challenger: traffic(challenger), looksPlannedMax: 20, ...more });

describe('judgeStep', () => {
  it('passes an honest challenger under the default policy: 300 requests against 5,000, no error, few slow, 20 looks', () => {
    const { verdict, metrics } = judge({ requests: 300, slow: 3 });
    expect(metrics.map((metric) => [metric.metric, metric.verdict])).toEqual([
      ['errorShare', 'pass'],
      ['slowShare', 'pass'],
      ['scoreDistance', 'pass'],
    ]);
    expect(verdict).toBe('pass');
  });

  it.each([
    ['errors', { requests: 300, errors: 30 }, 'errorShare'],
    ['slowness', { requests: 300, slow: 60 }, 'slowShare'],
    ['other scores', { requests: 300, shift: 60 }, 'scoreDistance'],
  ])('fails a challenger for its %s', (_, challenger, culprit) => {
    const { verdict, metrics } = judge(challenger);
    expect(verdict).toBe('fail');
    expect(metrics.filter((metric) => metric.verdict === 'fail').map((metric) => metric.metric)).toEqual([culprit]);
  });

  it('is inconclusive between, and the same shares on more requests decide', () => {
    expect(judge({ requests: 300, errors: 6 }).verdict).toBe('inconclusive');
    expect(judge({ requests: 30_000, errors: 150 }).verdict).toBe('pass');
    expect(judge({ requests: 30_000, errors: 900 }, { requests: 50_000 }).verdict).toBe('fail');
  });

  it('accepts a difference within the margin: an honest model may shift the scores', () => {
    expect(judge({ requests: 3000, shift: 8 }).verdict).toBe('pass');
  });

  it('does not blame the challenger for what the champion suffers too', () => {
    expect(judge({ requests: 3000, errors: 300, slow: 300 }, { requests: 5000, errors: 500, slow: 500 }).verdict).toBe('pass');
  });

  it('needs more requests the more often it may look', () => {
    expect(judge({ requests: 300 }, { requests: 5000 }, { looksPlannedMax: 1000 }).verdict).toBe('inconclusive');
    expect(judge({ requests: 600 }, { requests: 5000 }, { looksPlannedMax: 1000 }).verdict).toBe('pass');
  });

  it('has no data before the least number of requests, and says how many are missing', () => {
    expect(judge({ requests: 299, errors: 299 })).toMatchObject({
      verdict: 'no-data',
      metrics: [],
      waitsFor: expect.stringContaining('1 are missing'),
    });
    expect(judge({ requests: 0 }).verdict).toBe('no-data');
    const broken = { ...traffic({ requests: 300 }), requests: Number.NaN };
    expect(judgeStep({ policy, step, champion: traffic({ requests: 300 }), challenger: broken, looksPlannedMax: 1 }).verdict).toBe(
      'no-data',
    );
  });

  it('has no data without a champion beside it, at 100 percent without the totals of the step before', () => {
    expect(judge({ requests: 300 }, null)).toMatchObject({ verdict: 'no-data', waitsFor: expect.stringContaining('same minutes') });
    expect(judge({ requests: 300 }, { requests: 0 }).verdict).toBe('no-data');
    const last = { step: { sharePct: 100, minRequests: 300 } };
    expect(judge({ requests: 300 }, null, last)).toMatchObject({
      verdict: 'no-data',
      championFrom: 'step-before',
      waitsFor: expect.stringContaining('step before'),
    });
    expect(judge({ requests: 300 }, { requests: 5000 }, last)).toMatchObject({ verdict: 'pass', championFrom: 'step-before' });
  });

  it('compares scores on the same minutes only: other minutes bring other rows', () => {
    const asked = (more: object = {}) => judge({ requests: 300 }, { requests: 5000 }, more).metrics.map((metric) => metric.metric);
    expect(asked()).toEqual(['errorShare', 'slowShare', 'scoreDistance']);
    expect(asked({ step: { sharePct: 100, minRequests: 300 } })).toEqual(['errorShare', 'slowShare']);
  });

  it('does not pass a challenger that answered nothing, nor counts that contradict each other', () => {
    expect(judge({ requests: 300, errors: 300 }).verdict).toBe('fail');
    const silent = { ...addWindows([]), requests: 300 };
    const { verdict, metrics } = judgeStep({ policy, step, champion: traffic({ requests: 5000 }), challenger: silent, looksPlannedMax: 1 });
    expect(verdict).toBe('no-data');
    expect(metrics.map((metric) => metric.verdict)).toEqual(['pass', 'no-data', 'no-data']);
    const impossible = { ...traffic({ requests: 300 }), errors: 301 };
    expect(
      judgeStep({ policy, step, champion: traffic({ requests: 5000 }), challenger: impossible, looksPlannedMax: 1 }).metrics[0]?.verdict,
    ).toBe('no-data');
  });

  it('rolls back an equal challenger in fewer than alpha of canaries, and lets one at the margin pass in fewer, looks included', () => {
    const random = seededRandom(11);
    const drawn = (requests: number, share: number) =>
      Array.from({ length: requests }, () => Number(random.below(100_000) < share * 100_000)).reduce((sum, each) => sum + each, 0);
    const canaries = 300;
    let [falseFails, falsePasses] = [0, 0];
    for (let canary = 0; canary < canaries; canary++) {
      for (const [kind, share] of [
        ['equal', 0.03],
        ['at the margin', 0.05],
      ] as const) {
        let [ours, theirs, verdict] = [0, 0, 'inconclusive'];
        for (let look = 1; look <= 10 && verdict === 'inconclusive'; look++) {
          ours += drawn(100, share);
          theirs += drawn(400, 0.03);
          const totals = (requests: number, errors: number) => ({ ...addWindows([]), requests, errors });
          const { metrics } = judgeStep({
            policy,
            step: { sharePct: 20, minRequests: 1 },
            champion: totals(400 * look, theirs),
            challenger: totals(100 * look, ours),
            looksPlannedMax: 10,
          });
          verdict = metrics[0]?.verdict ?? 'inconclusive';
        }
        if (kind === 'equal' && verdict === 'fail') falseFails++;
        if (kind === 'at the margin' && verdict === 'pass') falsePasses++;
      }
    }
    expect(falseFails / canaries).toBeLessThanOrEqual(policy.alpha);
    expect(falsePasses / canaries).toBeLessThanOrEqual(policy.alpha);
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
