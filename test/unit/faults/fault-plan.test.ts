import { describe, expect, it } from 'vitest';
import {
  components,
  kinds,
  leastCount,
  moments,
  planFaults,
  stepsOf,
  stopPointsOf,
  strategies,
  watchedStages,
} from '../../faults/fault-plan.js';
import { drillDefinition, drillPolicies } from '../../faults/drill-model.js';
import { stagesOf } from '../../../domain/rollout/strategy-stages.js';

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
    expect(
      new Set(all.map((fault) => `${fault.strategy} ${fault.step} ${fault.moment} ${fault.component} ${fault.kind}`))
        .size,
    ).toBe(steps * leastCount);
  });

  it('strikes two at once with each component, both gateways among them, whatever the seed', () => {
    for (const seed of seeds) {
      const doubles = planFaults(seed).filter(({ also }) => also !== null);
      expect(new Set(doubles.map(({ component }) => component))).toEqual(new Set(components));
      expect(doubles.find(({ component }) => component === 'gateway')?.also).toBe('other gateway');
    }
  });

  it('stops a worker once for longer than any small activity may take, in the plan of every run too', () => {
    for (const plan of [planFaults(1, 8), ...seeds.map((seed) => planFaults(seed))]) {
      const long = plan.filter(({ pausedMs }) => pausedMs > 40_000);
      expect(long).toMatchObject([{ component: 'worker', kind: 'pause' }]);
    }
  });

  it('aborts and rolls back a rollout of every strategy, at moments that it has', () => {
    for (const seed of seeds) {
      const plan = planFaults(seed);
      for (const strategy of strategies) {
        const stops = plan.filter(
          (fault) => fault.strategy === strategy && (fault.step === 'abort' || fault.step === 'rollback'),
        );
        expect(new Set(stops.map(({ step }) => step)).size).toBe(2);
        for (const { step, stop } of stops)
          expect([...stopPointsOf(strategy), ...(step === 'rollback' ? [null] : [])]).toContainEqual(stop);
      }
      expect(
        plan.filter(({ step }) => step === 'approval' || typeof step === 'number').every(({ stop }) => stop === null),
      ).toBe(true);
    }
  });

  it('knows which stages each drilled policy has, and which of them the judge looks at', () => {
    for (const strategy of strategies)
      expect(
        stagesOf(drillDefinition(drillPolicies()[strategy]).rollout, { hasChampion: true }).map(
          ({ comparison }) => comparison !== 'none',
        ),
      ).toEqual(watchedStages[strategy]);
  });
});
