import { describe, expect, it } from 'vitest';
import { components, kinds, leastCount, moments, planFaults, roundsOf, stageCounts, stepsOf, strategies } from '../../faults/fault-plan.js';
import { drillDefinition, drillPolicies } from '../../faults/drill-model.js';
import { stagesOf } from '../../../domain/rollout-stage.js';

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

describe('a plan of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planFaults(7)).toEqual(planFaults(7));
    expect(planFaults(7)).not.toEqual(planFaults(8));
  });

  it('breaks every component in every way at every moment, and something at every step of every strategy, whatever the seed', () => {
    for (const seed of seeds) {
      const plan = planFaults(seed);
      expect(plan).toHaveLength(leastCount);
      expect(new Set(plan.map(({ moment, component, kind }) => `${moment} ${component} ${kind}`)).size).toBe(
        moments.length * components.length * kinds.length,
      );
      expect(new Set(plan.map(({ strategy, step }) => `${strategy} ${step}`)).size).toBe(
        strategies.flatMap((strategy) => stepsOf(strategy)).length,
      );
    }
  });

  it('pairs each step with each moment, component and kind when all are asked for', () => {
    const steps = strategies.flatMap((strategy) => stepsOf(strategy)).length;
    const all = planFaults(1, 'all');
    expect(new Set(all.map((fault) => `${fault.strategy} ${fault.step} ${fault.moment} ${fault.component} ${fault.kind}`)).size).toBe(
      steps * leastCount,
    );
  });

  it('goes into promotions with one fault a step at most, none lost', () => {
    for (const seed of seeds) {
      const rounds = roundsOf(planFaults(seed));
      expect(rounds.flatMap(({ faults }) => faults)).toHaveLength(leastCount);
      for (const { strategy, faults } of rounds) {
        expect(new Set(faults.map(({ step }) => step)).size).toBe(faults.length);
        expect(faults.every((fault) => fault.strategy === strategy)).toBe(true);
      }
    }
  });

  it('knows how many stages each drilled policy has', () => {
    for (const strategy of strategies)
      expect(stagesOf(drillDefinition(drillPolicies[strategy]).rollout, { hasChampion: true })).toHaveLength(stageCounts[strategy]);
  });
});
