import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../domain/statistics/random.js';
import { leastCount, planFaults, type Fault } from '../../faults/fault-plan.js';
import { goTogether, roundsOf, stagesBefore, stoppingFault, unstruck } from '../../faults/fault-rounds.js';

const seeds = Array.from({ length: 50 }, (_, seed) => seed);
const fault = (step: Fault['step'], stop: Fault['stop'] = null): Fault => ({
  ...{ strategy: 'canary', step, stop, moment: 'after the effect', component: 'worker', kind: 'kill' },
  ...{ also: null, pausedMs: 1500, gateway: 0 },
});

describe('promotions made of faults', () => {
  it('have one fault a step at most, of one strategy, and none is lost', () => {
    for (const seed of seeds) {
      const rounds = roundsOf(planFaults(seed));
      expect(rounds.flatMap(({ faults }) => faults)).toHaveLength(leastCount);
      for (const { strategy, faults } of rounds) {
        expect(new Set(faults.map(({ step }) => step)).size).toBe(faults.length);
        expect(faults.every((one) => one.strategy === strategy)).toBe(true);
      }
    }
  });

  it('come to every step at which a fault waits: none lies behind the stage in which the rollout is stopped, and it is stopped once', () => {
    for (const seed of seeds.slice(0, 5))
      for (const { strategy, faults } of roundsOf(planFaults(seed, 'all'))) {
        const stops = faults.filter(({ step }) => step === 'abort' || step === 'rollback');
        expect(stops.length).toBeLessThanOrEqual(1);
        const reached = stagesBefore(strategy, stoppingFault({ faults })?.stop ?? null);
        for (const { step } of faults) if (typeof step === 'number') expect(step).toBeLessThan(reached);
      }
  });

  it('meet a stage before the judge looks at it, and not one whose route is the moment to stop', () => {
    expect(goTogether([fault(1), fault('abort', { stage: 1, during: 'look' })])).toBe(true);
    expect(goTogether([fault(1), fault('abort', { stage: 1, during: 'route' })])).toBe(false);
    expect(goTogether([fault(2), fault('rollback', { stage: 1, during: 'look' })])).toBe(false);
    expect(goTogether([fault(2), fault('rollback')])).toBe(true);
    expect(goTogether([fault('abort', { stage: 1, during: 'look' }), fault('rollback')])).toBe(false);
  });
});

describe('the faults that did not strike', () => {
  it('are named by strategy, step, moment, component and kind, wherever in the plan they are', () => {
    for (const seed of seeds) {
      const random = seededRandom(seed);
      const plan = planFaults(seed);
      const missed = new Set(Array.from({ length: 1 + random.below(3) }, () => random.below(plan.length)));
      const found = unstruck(
        plan,
        plan.filter((_, at) => !missed.has(at)),
      );
      expect(found).toHaveLength(missed.size);
      for (const [nth, at] of [...missed].toSorted((left, right) => left - right).entries()) {
        const { strategy, step, moment, component, kind } = plan[at] ?? fault(0);
        for (const word of [strategy, typeof step === 'number' ? `stage ${step + 1}` : step, moment, component, kind])
          expect(found[nth]).toContain(word);
      }
    }
  });

  it('are none when all have struck, and a like one does not count for another', () => {
    const plan = planFaults(1);
    expect(unstruck(plan, plan.toReversed())).toEqual([]);
    expect(unstruck(plan.slice(0, 1), [{ ...fault('abort'), ...plan[0] }])).toHaveLength(1);
  });
});
