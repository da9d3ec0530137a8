import { describe, expect, it } from 'vitest';
import { judgeStage, type Observed, type StageInput } from '../../../../domain/rollout/judge/judge.js';
import { stageSampleSizes } from '../../../../domain/rollout/sample-size.js';
import { alphaOfStage } from '../../../../domain/rollout/rollout-plan.js';
import { rolloutPolicySchema, type JudgedPolicy } from '../../../../domain/rollout/rollout-policy.js';
import { stagesOf } from '../../../../domain/rollout/strategy-stages.js';
import { addWindows } from '../../../../domain/serving/serving-totals.js';
import { seededRandom } from '../../../../domain/statistics/random.js';
import { stretchStages } from '../../../../domain/rollout/stretch-stages.js';

function judged(policy: object): JudgedPolicy {
  const parsed = rolloutPolicySchema.parse(policy);
  if (parsed.strategy === 'direct') throw new Error('nobody judges a direct rollout');
  return parsed;
}

const canary = (more: object = {}, step: object = {}) =>
  judged({ strategy: 'canary', steps: [{ sharePct: 10, ...step }, { sharePct: 100 }], ...more });
const stages = (policy: JudgedPolicy) => stagesOf(policy, { hasChampion: true });
const seen = (requests: number, errors: number, samples: Observed['samples'] = {}): Observed => ({
  ...addWindows([]),
  requests,
  errors,
  samples,
});

describe('stageSampleSizes', () => {
  it('names requests with which the judge sees the harm nine times in ten, and passes an equal challenger', () => {
    const policy = canary({ judge: { metrics: [{ metric: 'errorShare' }] } });
    const [stage] = stages(policy);
    const [effect] = stageSampleSizes(policy, stages(policy), { requestsPerSecond: 10, champion: seen(10_000, 100) });
    const [metric] = effect!.metrics;
    expect(metric).toMatchObject({ metric: 'errorShare', basis: 'counted' });
    const random = seededRandom(3);
    const drawn = (requests: number, share: number) =>
      Array.from({ length: requests }, () => Number(random.uint32() / 4_294_967_296 < share)).reduce(
        (sum, one) => sum + one,
        0,
      );
    const share = (requests: number, ours: number, verdict: string) => {
      let found = 0;
      for (let run = 0; run < 100; run++) {
        const input: StageInput = {
          ...{
            policy: policy.judge,
            alpha: alphaOfStage(policy, stages(policy)),
            stage: { ...stage!, minRequests: 1 },
          },
          ...{ outcome: null, horizon: null, coldRequests: 0 },
          champion: seen(requests * 9, drawn(requests * 9, 0.01)),
          challenger: seen(requests, drawn(requests, ours)),
        };
        if (judgeStage(input).verdict === verdict) found += 1;
      }
      return found / 100;
    };
    expect(share(metric!.requestsToSeeHarm!, 0.11, 'fail')).toBeGreaterThan(0.8);
    expect(share(Math.floor(metric!.requestsToSeeHarm! / 3), 0.11, 'fail')).toBeLessThan(0.6);
    expect(share(metric!.requestsToPass!, 0.01, 'pass')).toBeGreaterThan(0.8);
    expect(share(Math.floor(metric!.requestsToPass! / 3), 0.01, 'pass')).toBeLessThan(0.6);
  });

  it('says the seconds that the present traffic takes for them, for shares and for copies', () => {
    const policy = judged({ strategy: 'shadow', samplePct: 50, steps: [{ sharePct: 20 }, { sharePct: 100 }] });
    const [shadow, step, full] = stageSampleSizes(policy, stages(policy), {
      requestsPerSecond: 10,
      champion: seen(10_000, 100),
    });
    expect(shadow!.seconds).toBeCloseTo(shadow!.requests! / 5, 9);
    expect(step!.seconds).toBeCloseTo(step!.requests! / 2, 9);
    expect(full!.seconds).toBeCloseTo(full!.requests! / 10, 9);
    expect(full!.metrics.map((metric) => metric.metric)).toEqual(['errorShare', 'slowShare']);
  });

  it('does not know seconds without traffic, nor requests for a value that was never seen; it takes 1 percent for shares', () => {
    const value = {
      metric: 'value',
      name: 'amount',
      from: 'amount',
      min: 0,
      max: 100,
      direction: 'higher-is-better',
      margin: 5,
      harm: 20,
    };
    const policy = canary({ judge: { metrics: [{ metric: 'errorShare' }, value] } });
    const [unknown] = stageSampleSizes(policy, stages(policy), { requestsPerSecond: null, champion: null });
    expect(unknown).toMatchObject({ requests: null, seconds: null });
    expect(unknown!.metrics).toMatchObject([
      { metric: 'errorShare', basis: 'assumed', requestsToSeeHarm: expect.any(Number) },
      { metric: 'value:amount', basis: 'unknown', requestsToSeeHarm: null, requestsToPass: null },
    ]);
    const expected = { 'value:amount': { count: 100, sum: 40 } };
    const [byHoldout] = stageSampleSizes(policy, stages(policy), {
      ...{ requestsPerSecond: 1, champion: seen(100, 1, expected), byHoldout: ['value:amount'] },
    });
    expect(byHoldout!.metrics.map(({ basis }) => basis)).toEqual(['counted', 'holdout']);
    const traffic = { requestsPerSecond: 0, champion: seen(100, 1, { 'value:amount': { count: 50, sum: 20 } }) };
    const [known] = stageSampleSizes(policy, stages(policy), traffic);
    expect(known).toMatchObject({ requests: expect.any(Number), seconds: null });
  });

  it('needs more for a smaller harm, for less alpha, and for rarer labels', () => {
    const needs = (metric: object, champion: Observed, alpha = 0.05) => {
      const policy = canary({ judge: { alpha, metrics: [{ metric: 'errorShare' }, metric] } });
      return stageSampleSizes(policy, stages(policy), { requestsPerSecond: 10, champion })[0]!.metrics[1]!
        .requestsToSeeHarm!;
    };
    const slow = { ...seen(1000, 0), latency: [0, 0, 990, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0] };
    expect(needs({ metric: 'slowShare', harmPct: 8 }, slow)).toBeGreaterThan(
      2 * needs({ metric: 'slowShare', harmPct: 20 }, slow),
    );
    expect(needs({ metric: 'slowShare' }, slow, 0.001)).toBeGreaterThan(needs({ metric: 'slowShare' }, slow, 0.1));
    const quality = { metric: 'quality', loss: 'error', margin: 0.02, harm: 0.1 };
    const labelled = (count: number) => seen(1000, 0, { 'quality:error': { count, sum: count / 10 } });
    expect(needs(quality, labelled(100))).toBeGreaterThan(5 * needs(quality, labelled(1000)));
  });

  it('of an A/B test asks what an improvement needs to win', () => {
    const policy = judged({ strategy: 'ab', outcome: { metric: 'outcome', direction: 'higher-is-better' } });
    const champion = seen(5000, 0, { outcome: { count: 1000, sum: 100 } });
    const [effect] = stageSampleSizes(policy, stages(policy), { requestsPerSecond: 10, champion });
    expect(effect!.metrics[0]).toMatchObject({
      metric: 'outcome',
      requestsToPass: null,
      requestsToSeeHarm: expect.any(Number),
    });
    expect(effect!.requests).toBeGreaterThan(1000);
  });
});

describe('stretchStages', () => {
  const traffic = { requestsPerSecond: 1, champion: seen(10_000, 100) };
  const of = (policy: JudgedPolicy, present = traffic) =>
    stretchStages(stages(policy), policy.judge, stageSampleSizes(policy, stages(policy), present));

  it('lengthens a stage that cannot see the harm in its time, and says so', () => {
    const policy = canary({}, { maxSeconds: 600 });
    const { stages: stretched, changes, refused } = of(policy);
    expect(refused).toBeNull();
    expect(changes[0]).toMatch(
      /^Stage "canary of 10 %" lasts at most 10 minutes, but at the current traffic the \d+ requests/,
    );
    const [effect] = stageSampleSizes(policy, stages(policy), traffic);
    expect(stretched[0]).toEqual({ ...stages(policy)[0], maxSeconds: Math.ceil(effect!.seconds!) });
    expect(stretched[1]).toEqual(stages(policy)[1]);
  });

  it('refuses such a rollout by policy, naming fields and remedies', () => {
    const { stages: kept, refused } = of(canary({ judge: { unseenHarm: 'refuse' } }, { maxSeconds: 600 }));
    expect(refused).toMatch(/maxSeconds.*rollout\.judge\.unseenHarm.*sharePct.*harmPct/);
    expect(kept[0]!.maxSeconds).toBe(600);
  });

  it('stretches no stage beyond 30 days', () => {
    const { refused, changes } = of(canary({}, { sharePct: 0.01 }));
    expect(refused).toContain('30.0 days');
    expect(changes).toEqual([]);
  });

  it('leaves stages alone that see it, and where the traffic is unknown', () => {
    const policy = canary();
    expect(of(policy, { ...traffic, requestsPerSecond: 1000 })).toEqual({
      stages: stages(policy),
      changes: [],
      refused: null,
    });
    const unknown = { requestsPerSecond: null, champion: null };
    expect(
      stretchStages(stages(policy), policy.judge, stageSampleSizes(policy, stages(policy), unknown)),
    ).toMatchObject({
      changes: [],
      refused: null,
    });
  });
});
