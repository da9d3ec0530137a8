import { describe, expect, it } from 'vitest';
import { falseRollbacks, requestsToCatch } from '../../../../../bench/judge/figures.js';
import { liesHigher } from '../../../../../bench/judge/mann-whitney.js';
import { harms, identicalPairs, type Scenario } from '../../../../../bench/judge/scenario.js';
import { simulate, together } from '../../../../../bench/judge/simulate.js';
import { judgeStage } from '../../../../../domain/rollout/judge/judge.js';

const short = (scenario: Scenario | undefined): Scenario => ({ ...scenario!, batch: 50, requests: 400 });
const pairs = { seed: 1, from: 0, to: 40 };

describe('the simulation of bench:judge', () => {
  it.each(
    identicalPairs
      .filter(({ policy }) => policy.metrics.length === 1)
      .map((scenario) => [scenario.name, scenario] as const),
  )('finds the promise on false rollbacks kept: %s', (_, scenario) => {
    expect(falseRollbacks(scenario, simulate(short(scenario), pairs), true)).toMatchObject({
      passed: true,
      pairs: 40,
      looks: 8,
    });
  });

  it('catches a judge that is too eager: one that fails whatever seems worse, and one whose level holds for one look', () => {
    const [, scenario] = identicalPairs;
    const eager = simulate(short(scenario), pairs, (input) => {
      const [metric] = judgeStage(input).metrics;
      return { verdict: (metric?.difference ?? 0) > 0 ? 'fail' : 'inconclusive' };
    });
    expect(falseRollbacks(scenario!, eager, true)).toMatchObject({ passed: false });
    const once = simulate({ ...scenario!, requests: 1000 }, pairs, ({ challenger, champion }) => {
      const bins = (of: typeof challenger | null) => [(of?.requests ?? 0) - (of?.errors ?? 0), of?.errors ?? 0];
      return { verdict: liesHigher(bins(challenger), bins(champion), scenario!.policy.alpha) ? 'fail' : 'pass' };
    });
    expect(falseRollbacks(scenario!, once, true)).toMatchObject({ passed: false });
  });

  it('counts the requests until a harm is caught, and says null when it is not', () => {
    const scenario = harms.at(-1)!;
    const found = simulate(scenario, { ...pairs, to: 10 });
    expect(requestsToCatch(scenario, found).judge).toEqual({ median: 25, p90: 25 });
    const blind = simulate(scenario, { ...pairs, to: 10 }, () => ({ verdict: 'pass' }));
    expect(requestsToCatch(scenario, blind).judge).toEqual({ median: null, p90: null });
  });

  it('gives the same for the same seed, however the pairs are split', () => {
    const scenario = short(identicalPairs[1]);
    const parts = [simulate(scenario, { ...pairs, to: 20 }), simulate(scenario, { ...pairs, from: 20 })];
    expect(together(parts)).toEqual(simulate(scenario, pairs));
  });
});

describe('liesHigher', () => {
  // scipy.stats.mannwhitneyu(np.repeat([0, 1, 2], [30, 20, 10]), np.repeat([0, 1, 2], [40, 15, 5]),
  // alternative='greater', method='asymptotic', use_continuity=False).pvalue
  it('agrees with the p-value of SciPy, ties corrected', () => {
    const p = 0.0263161512828703;
    expect(liesHigher([30, 20, 10], [40, 15, 5], p * 1.001)).toBe(true);
    expect(liesHigher([30, 20, 10], [40, 15, 5], p * 0.999)).toBe(false);
    expect(liesHigher([40, 15, 5], [30, 20, 10], 0.4)).toBe(false);
    expect(liesHigher([5, 0], [7, 0], 0.4)).toBe(false);
  });
});
