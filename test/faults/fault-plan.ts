import { seededRandom, type Random } from '../../domain/statistics/random.js';

export const components = ['worker', 'gateway', 'temporal', 'postgres', 's3'] as const;
export const kinds = ['kill', 'pause'] as const;
export const moments = ['before the effect', 'after the effect', 'before the acknowledgement'] as const;

/** Where in a promotion: `approval`, a stage by its place, or the way `back`. */
export type Step = 'approval' | number | 'back';
export type Strategy = 'canary' | 'blue-green' | 'shadow' | 'ab' | 'direct';

/** How many stages each drilled policy has; drill-model.ts makes them. */
export const stageCounts: Record<Strategy, number> = { canary: 3, 'blue-green': 3, shadow: 2, ab: 2, direct: 1 };
export const strategies = Object.keys(stageCounts) as Strategy[];

export interface Fault {
  strategy: Strategy;
  step: Step;
  moment: (typeof moments)[number];
  component: (typeof components)[number];
  kind: (typeof kinds)[number];
  /** Of a pause. */
  pausedMs: number;
  /** Which of the two gateways is meant, or is slow to acknowledge. */
  gateway: 0 | 1;
}

/** One promotion of a new version, with at most one fault at each of its steps. */
export interface Round {
  strategy: Strategy;
  faults: Fault[];
}

/** A gateway loses its lease after 10 s of silence; both sides of that are worth a visit. */
const pauseMs = { shortest: 1_500, longest: 6_000, beyondLease: 12_000 };

export function stepsOf(strategy: Strategy): Step[] {
  return ['approval', ...Array.from({ length: stageCounts[strategy] }, (_, stage) => stage), 'back'];
}

/**
 * Faults from a seed; the same seed gives the same plan. Steps and triples of moment, component and kind are each gone through in an order of the seed, so that `leastCount` faults have every
 * step of every strategy and every triple at least once; `all` pairs each with each.
 */
export function planFaults(seed: number, count: number | 'all' = leastCount): Fault[] {
  const random = seededRandom(seed);
  const places = shuffled(
    strategies.flatMap((strategy) => stepsOf(strategy).map((step) => ({ strategy, step }))),
    random,
  );
  const triples = shuffled(
    moments.flatMap((moment) => components.flatMap((component) => kinds.map((kind) => ({ moment, component, kind })))),
    random,
  );
  const pairs =
    count === 'all'
      ? places.flatMap((place) => triples.map((triple) => ({ ...place, ...triple })))
      : Array.from({ length: count }, (_, at) => {
          const turn = Math.floor(at / triples.length);
          return { ...pick(places, at), ...pick(triples, at + turn) };
        });
  return pairs.map((pair) => ({ ...pair, pausedMs: pausedMs(random), gateway: random.below(2) === 0 ? 0 : 1 }));
}

/** One for each triple; there are fewer steps. */
export const leastCount = moments.length * components.length * kinds.length;

/** Puts faults of one strategy into as few promotions as there are faults at its busiest step; the order of the strategies is the seed's. */
export function roundsOf(faults: readonly Fault[]): Round[] {
  const rounds: Round[] = [];
  for (const fault of faults) {
    const free = rounds.find(
      ({ strategy, faults: taken }) => strategy === fault.strategy && taken.every(({ step }) => step !== fault.step),
    );
    if (free) free.faults.push(fault);
    else rounds.push({ strategy: fault.strategy, faults: [fault] });
  }
  return rounds;
}

export const faultText = ({ step, moment, component, kind, pausedMs: forMs }: Fault): string =>
  `${kind} ${component}${kind === 'pause' ? ` for ${(forMs / 1000).toFixed(1)} s` : ''} ${moment}, ${typeof step === 'number' ? `stage ${step + 1}` : step}`;

function pausedMs(random: Random): number {
  if (random.below(10) === 0) return pauseMs.beyondLease;
  return pauseMs.shortest + random.below(pauseMs.longest - pauseMs.shortest);
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, at: random.uint32() }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ value }) => value);
}

function pick<T>(values: readonly T[], at: number): T {
  const value = values[at % values.length];
  if (value === undefined) throw new Error('there is nothing to pick from');
  return value;
}
