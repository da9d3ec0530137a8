import { describe, expect, it } from 'vitest';
import type { Metrics } from '../../../../domain/metrics/measured.js';
import type { Interval } from '../../../../domain/metrics/measured.js';
import type { Scored } from '../../../../domain/metrics/measured.js';
import type { Evaluation } from '../../../../domain/evaluation/evaluation.js';
import { evaluationPolicySchema } from '../../../../domain/evaluation/evaluation-policy.js';
import { gateDecisionSchema } from '../../../../domain/evaluation/gate-result.js';
import { decideGates, gatesVerdict, parityGateName } from '../../../../domain/evaluation/gate.js';
import { plausibleGateName } from '../../../../domain/evaluation/plausible-gate.js';

const metrics = (values: Partial<Metrics>): Metrics => ({
  rocAuc: null,
  prAuc: null,
  logLoss: null,
  brier: null,
  calibrationError: null,
  accuracy: null,
  precision: null,
  recall: null,
  f1: null,
  ...values,
});
const interval = (low: number, high: number): Interval => ({ low, high, confidencePct: 95 });
const scored = (
  metric: string,
  value: number | null,
  low: number,
  high: number,
  rows = 1000,
  positives = 200,
): Scored => ({
  rows,
  positives,
  metrics: metrics({ [metric]: value }),
  intervals: { [metric]: interval(low, high) },
});
const sha = 'a'.repeat(64);
const evaluation = (more: Partial<Evaluation> = {}): Evaluation => ({
  holdoutSha256: sha,
  candidateSha256: sha,
  championSha256: null,
  championVersion: null,
  threshold: 0.5,
  overall: scored('rocAuc', 0.85, 0.83, 0.87),
  comparison: null,
  slices: [],
  parityMaxDifference: 4e-7,
  scoreHistogram: [],
  calibrationCurve: [],
  rocCurve: [],
  ...more,
});
const policy = (...gates: object[]) => ({
  evaluation: evaluationPolicySchema.parse({
    slices: ['origin'],
    gates: gates.map((gate) => ({ name: 'g', metric: 'rocAuc', ...gate })),
  }),
});
const outcome = (gate: object, found: Partial<Evaluation>) =>
  decideGates(policy(gate), evaluation(found)).results[1]?.outcome;
const champion = (metric: string, estimate: number, low: number, high: number): Partial<Evaluation> => ({
  championSha256: sha,
  championVersion: 1,
  overall: scored(metric, 0.4, 0.39, 0.41),
  comparison: {
    champion: metrics({ [metric]: 0.4 }),
    differences: { [metric]: { estimate, interval: interval(low, high) } },
  },
});

describe('decideGates', () => {
  it.each([
    [{ atLeast: 0.83 }, 'pass'],
    [{ atLeast: 0.84 }, 'inconclusive'],
    [{ atLeast: 0.86 }, 'inconclusive'],
    [{ atLeast: 0.87 }, 'inconclusive'],
    [{ atLeast: 0.88 }, 'fail'],
    [{ atMost: 0.87 }, 'pass'],
    [{ atMost: 0.85 }, 'inconclusive'],
    [{ atMost: 0.82 }, 'fail'],
  ])('passes only when the whole interval 0.83 to 0.87 keeps the bound: %j gives %s', (gate, expected) => {
    expect(outcome(gate, {})).toBe(expected);
  });

  it.each([
    ['logLoss', -0.02, -0.03, -0.01, 'pass'],
    ['logLoss', 0.005, 0.001, 0.01, 'pass'],
    ['logLoss', 0.01, 0.005, 0.015, 'inconclusive'],
    ['logLoss', 0.03, 0.02, 0.04, 'fail'],
    ['rocAuc', 0.03, 0.02, 0.04, 'pass'],
    ['rocAuc', -0.005, -0.01, 0, 'pass'],
    ['rocAuc', -0.01, -0.015, -0.005, 'inconclusive'],
    ['rocAuc', -0.03, -0.04, -0.02, 'fail'],
  ] as const)(
    'knows which way is worse: %s different by %s (%s to %s) gives %s under a margin of 0.01',
    (metric, estimate, low, high, expected) => {
      expect(outcome({ metric, worseThanChampionByAtMost: 0.01 }, champion(metric, estimate, low, high))).toBe(
        expected,
      );
    },
  );

  it.each([
    [0.9989, undefined, 'nothing'],
    [0.999, undefined, 'fail'],
    [1, 'refuse', 'fail'],
    [1, 'accept', 'pass'],
    [null, undefined, 'nothing'],
  ] as const)(
    'a ROC AUC of %s with implausiblyGood %s says %s of being too good to be true',
    (rocAuc, implausiblyGood, expected) => {
      const { evaluation: rules } = policy({ metric: 'rocAuc', atLeast: 0.5 });
      const asked = { evaluation: { ...rules, ...(implausiblyGood ? { implausiblyGood } : {}) } };
      const { results } = decideGates(asked, evaluation({ overall: scored('rocAuc', rocAuc, 0.99, 1) }), {
        feature: 'arr_delay',
        share: 0.98,
      });
      const gate = results.find(({ name }) => name === plausibleGateName);
      expect(gate?.outcome ?? 'nothing').toBe(expected);
      if (gate) gateDecisionSchema.parse({ results, notAsked: [] });
      if (expected === 'fail')
        expect(gate?.reason).toMatch(/arr_delay \(98\.0 % of all importance\).*evaluation\.implausiblyGood/);
    },
  );

  it('lets the very same model pass a margin of 0', () => {
    expect(outcome({ metric: 'logLoss', worseThanChampionByAtMost: 0 }, champion('logLoss', 0, 0, 0))).toBe('pass');
  });

  it('does not ask what compares with a champion while there is none, and says so', () => {
    const { results, notAsked } = decideGates(
      policy({ name: 'no worse', worseThanChampionByAtMost: 0.01 }, { name: 'own', atLeast: 0.8 }),
      evaluation(),
    );
    expect(results.map(({ name }) => name)).toEqual([parityGateName, 'own']);
    expect(notAsked).toEqual([{ name: 'no worse', reason: 'There is no champion to compare with on these rows.' }]);
  });

  it('is not asked where the champion cannot be measured, unless the policy requires it: then there is no data', () => {
    const found = { championSha256: sha, championVersion: 3, notCompared: '2024-03: sales has no column colour' };
    const rules = policy({ name: 'no worse', worseThanChampionByAtMost: 0.01 });
    const lenient = decideGates(rules, evaluation(found));
    expect(lenient.results.map(({ name }) => name)).toEqual([parityGateName]);
    expect(lenient.notAsked[0]?.reason).toBe(
      'Version 3, the champion, cannot be measured on these rows: 2024-03: sales has no column colour.',
    );
    const strict = decideGates({ evaluation: { ...rules.evaluation, comparison: 'required' } }, evaluation(found));
    expect(strict.notAsked).toEqual([]);
    expect(strict.results[1]).toMatchObject({
      outcome: 'no-data',
      reason: expect.stringContaining('sales has no column colour'),
    });
  });

  it('finds no data, rather than nothing to ask, when a champion exists but was not measured', () => {
    expect(
      outcome({ worseThanChampionByAtMost: 0.01 }, { championSha256: sha, championVersion: 1, comparison: null }),
    ).toBe('no-data');
  });

  const overall = evaluation().overall;
  const noData: [string, Partial<Evaluation>][] = [
    ['a null metric', { overall: { ...overall, metrics: metrics({}) } }],
    ['a NaN metric', { overall: scored('rocAuc', Number.NaN, 0.9, 0.95) }],
    ['an infinite metric', { overall: scored('rocAuc', Infinity, 0.9, 0.95) }],
    ['a missing interval', { overall: { ...overall, intervals: {} } }],
    ['a NaN in the interval', { overall: scored('rocAuc', 0.9, Number.NaN, 0.95) }],
    ['an interval upside down', { overall: scored('rocAuc', 0.9, 0.95, 0.9) }],
    ['one class only', { overall: scored('rocAuc', 0.9, 0.89, 0.91, 1000, 0) }],
    ['the other class only', { overall: scored('rocAuc', 0.9, 0.89, 0.91, 1000, 1000) }],
    ['no rows', { overall: scored('rocAuc', 0.9, 0.89, 0.91, 0, 0) }],
  ];
  it.each(noData)('never passes on %s', (_, found) => {
    expect(outcome({ atLeast: 0.5 }, found)).toBe('no-data');
    expect(outcome({ atMost: 0.99 }, found)).toBe('no-data');
  });

  it('never passes what JSON has turned from NaN into null, though null < 0.5 is true', () => {
    for (const hole of ['metrics', 'intervals'] as const) {
      const broken = evaluation({
        overall: {
          ...scored('logLoss', 0.3, 0.29, 0.31),
          [hole]: Object.fromEntries(
            ['logLoss', 'rocAuc'].map((name) => [
              name,
              hole === 'metrics' ? NaN : { low: NaN, high: NaN, confidencePct: 95 },
            ]),
          ),
        },
      });
      const { results } = decideGates(policy({ metric: 'logLoss', atMost: 0.5 }), JSON.parse(JSON.stringify(broken)));
      expect(results[1]?.outcome).toBe('no-data');
    }
    const parity = JSON.parse(JSON.stringify(evaluation({ parityMaxDifference: Number.NaN })));
    expect(decideGates(policy({ atLeast: 0.5 }), parity).results[0]?.outcome).toBe('no-data');
  });

  it.each([
    [1e-5, 'pass'],
    [1.1e-5, 'fail'],
    [null, 'no-data'],
    [-1, 'no-data'],
  ])('asks first whether ONNX matches the native model: %s gives %s', (parityMaxDifference, expected) => {
    expect(decideGates(policy({ atLeast: 0.5 }), evaluation({ parityMaxDifference })).results[0]).toMatchObject({
      metric: 'parityMaxDifference',
      outcome: expected,
    });
  });

  const slice = (
    level: string,
    value: number | null,
    low: number,
    high: number,
    rows: number,
    positives?: number,
  ): Evaluation['slices'][number] => ({
    feature: 'origin',
    level,
    scored: scored('rocAuc', value, low, high, rows, positives),
    comparison: null,
  });

  it('is as good as its worst level, names it, and names the levels with too few rows', () => {
    const slices = [
      slice('EWR', 0.9, 0.88, 0.92, 900),
      slice('JFK', 0.8, 0.76, 0.84, 800),
      slice('LGA', 0.81, 0.78, 0.84, 700),
      slice('SWF', 0.4, 0.1, 0.7, 12),
    ];
    const [, gate] = decideGates(policy({ atLeast: 0.75, slice: 'origin' }), evaluation({ slices })).results;
    expect(gate).toMatchObject({ outcome: 'pass', slice: { feature: 'origin', level: 'JFK' }, value: 0.8 });
    expect(gate?.reason).toContain('Left out, with fewer than 200 rows: SWF (12)');
    expect(gate?.levels?.map(({ level }) => level)).toEqual(['EWR', 'JFK', 'LGA']);
    const stricter = decideGates(policy({ atLeast: 0.85, slice: 'origin' }), evaluation({ slices })).results[1];
    expect(stricter).toMatchObject({ outcome: 'fail', slice: { level: 'JFK' } });
  });

  it('never passes without a level that has enough rows, nor with a level of one class', () => {
    expect(outcome({ atLeast: 0.5, slice: 'origin' }, { slices: [slice('SWF', 0.9, 0.8, 1, 12, 4)] })).toBe('no-data');
    expect(outcome({ atLeast: 0.5, slice: 'origin' }, { slices: [] })).toBe('no-data');
    expect(
      outcome(
        { atLeast: 0.5, slice: 'origin' },
        { slices: [slice('EWR', 0.9, 0.8, 1, 900), slice('JFK', null, 0, 0, 900, 0)] },
      ),
    ).toBe('no-data');
  });

  it('gives plain JSON with reasons', () => {
    const decision = decideGates(
      policy({ atLeast: 0.8 }, { name: 's', atLeast: 0.5, slice: 'origin' }),
      evaluation({ slices: [slice('EWR', 0.9, 0.8, 1, 900)] }),
    );
    expect(gateDecisionSchema.parse(JSON.parse(JSON.stringify(decision)))).toEqual(decision);
    expect(decision.results[1]?.reason).toBe(
      'rocAuc is 0.85 (95 % interval 0.83 to 0.87); required: at least 0.8. The whole interval is within it.',
    );
  });
});

describe('gatesVerdict', () => {
  it('passes only when all pass; nothing at all is no data', () => {
    const of = (...outcomes: ('pass' | 'fail' | 'inconclusive' | 'no-data')[]) =>
      gatesVerdict(outcomes.map((each) => ({ outcome: each })));
    expect(of()).toBe('no-data');
    expect(of('pass', 'pass')).toBe('pass');
    expect(of('pass', 'inconclusive')).toBe('inconclusive');
    expect(of('no-data', 'inconclusive')).toBe('no-data');
    expect(of('no-data', 'fail')).toBe('fail');
  });

  it('looks at a metric of the team by its declared direction', () => {
    const metrics = (direction: string) => ({ profit: { sql: 'avg(label)', direction } });
    const asked = (direction: string) => ({
      evaluation: evaluationPolicySchema.parse({
        metrics: metrics(direction),
        gates: [{ name: 'g', metric: 'profit', worseThanChampionByAtMost: 1 }],
      }),
    });
    const found = evaluation(champion('profit', -5, -6, -4));
    expect(decideGates(asked('higher-is-better'), found).results[1]?.outcome).toBe('fail');
    expect(decideGates(asked('lower-is-better'), found).results[1]?.outcome).toBe('pass');
  });
});
