import { seededRandom, type Random } from '../../domain/statistics/random.js';

export const components = ['worker', 'gateway', 'temporal', 'postgres', 's3'] as const;
export const kinds = ['kill', 'pause'] as const;
export const moments = ['before the effect', 'after the effect', 'before the acknowledgement'] as const;

/** Where in a promotion: `approval`, a stage by its place, or the way back after a person's `abort` or `rollback`. */
export type Step = 'approval' | number | 'abort' | 'rollback';
export type Strategy = 'canary' | 'blue-green' | 'shadow' | 'ab' | 'direct';
export type Component = (typeof components)[number];

/** The stages of each drilled policy, and whether the judge looks at them; drill-model.ts makes them. */
export const watchedStages: Record<Strategy, readonly boolean[]> = {
  canary: [true, true, true],
  'blue-green': [false, true, false],
  shadow: [true, true],
  ab: [true, false],
  direct: [false],
};
export const strategies = Object.keys(watchedStages) as Strategy[];

/**
 * When a person stops a rollout: in which stage, and whether its route was just written, before any gateway
 * acknowledged it, or the judge is about to look.
 */
export interface StopPoint {
  stage: number;
  during: 'route' | 'look';
}

export interface Fault {
  strategy: Strategy;
  step: Step;
  moment: (typeof moments)[number];
  component: Component;
  kind: (typeof kinds)[number];
  /** What is struck together with the component; null for nothing. */
  also: Exclude<Component, 'gateway'> | 'other gateway' | null;
  /** Of a pause. */
  pausedMs: number;
  /** Which of the two gateways is meant, or is slow to acknowledge. */
  gateway: 0 | 1;
  /** Of the steps `abort` and `rollback`; null for a rollback of a rollout that has completed. */
  stop: StopPoint | null;
}

/** What goes down together: those that cannot do without each other, and all that answer. */
const companions: Record<Component, NonNullable<Fault['also']>> = {
  ...{ worker: 'temporal', temporal: 'postgres', postgres: 's3', s3: 'worker', gateway: 'other gateway' },
};
/** Of so many faults of a component, the second strikes its companion too. */
const alsoEvery = 6;

/**
 * A gateway loses its lease after 10 s of silence; both sides of that are worth a visit. A small activity is given up
 * after 30 s: what its worker goes on with then comes too late.
 */
const pauseMs = { shortest: 1_500, longest: 6_000, beyondLease: 12_000, beyondTimeout: 42_000 };

export function stepsOf(strategy: Strategy): Step[] {
  return [
    'approval',
    ...Array.from({ length: watchedStages[strategy].length }, (_, stage) => stage),
    'abort',
    'rollback',
  ];
}

/** Every moment in which a rollout of this strategy can be stopped. */
export function stopPointsOf(strategy: Strategy): StopPoint[] {
  return watchedStages[strategy].flatMap((watched, stage) => [
    { stage, during: 'route' as const },
    ...(watched ? [{ stage, during: 'look' as const }] : []),
  ]);
}

/**
 * Faults from a seed; the same seed gives the same plan. Steps and triples of moment, component and kind are each gone
 * through in an order of the seed, so that `leastCount` faults have every step of every strategy and every triple at
 * least once; `all` pairs each with each.
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
  const seen = new Map<Component, number>();
  let outlasted = false;
  return pairs.map((pair) => {
    const before = seen.get(pair.component) ?? 0;
    seen.set(pair.component, before + 1);
    // Once a plan: it takes its time.
    const outlasts = !outlasted && pair.component === 'worker' && pair.kind === 'pause';
    outlasted ||= outlasts;
    const forMs = pausedMs(random);
    return {
      ...pair,
      also: before % alsoEvery === 1 ? companions[pair.component] : null,
      pausedMs: outlasts ? pauseMs.beyondTimeout : forMs,
      gateway: random.below(2) === 0 ? 0 : 1,
      stop: stopOf(pair, random),
    };
  });
}

/** One for each triple; there are fewer steps. */
export const leastCount = moments.length * components.length * kinds.length;

/** What is struck, when and where, for a person. */
export function faultText({ step, moment, component, also, kind, pausedMs: forMs, stop }: Fault): string {
  const what =
    `${kind} ` +
    `${component}${also === null ? '' : ` and ${also}`}${
      kind === 'pause' ? ` for ${(forMs / 1000).toFixed(1)} s` : ''
    }`;
  const stopped = stop === null ? '' : ` in stage ${stop.stage + 1} (${stop.during})`;
  return `${what} ${moment}, ${typeof step === 'number' ? `stage ${step + 1}` : `${step}${stopped}`}`;
}

/** Every second rollback stops a rollout that is running. */
function stopOf({ strategy, step }: Pick<Fault, 'strategy' | 'step'>, random: Random): StopPoint | null {
  const points = stopPointsOf(strategy);
  const point = pick(points, random.below(points.length));
  const running = random.below(2) === 0;
  return step === 'abort' || (step === 'rollback' && running) ? point : null;
}

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
