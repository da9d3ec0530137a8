import { faultText, watchedStages, type Fault, type StopPoint, type Strategy } from './fault-plan.js';

/** One promotion of a new version, with at most one fault at each of its steps, all of which it comes to. */
export interface Round {
  strategy: Strategy;
  faults: Fault[];
}

/** The fault, if any, that wants the round's rollout to be stopped or rolled back. */
export const stoppingFault = ({ faults }: Pick<Round, 'faults'>): Fault | undefined =>
  faults.find(({ step }) => step === 'abort' || step === 'rollback');

/** Stages whose route is written, and met by nothing but a fault, before the rollout is stopped. */
export function stagesBefore(strategy: Strategy, stop: StopPoint | null): number {
  if (stop === null) return watchedStages[strategy].length;
  return stop.during === 'look' ? stop.stage + 1 : stop.stage;
}

/**
 * Puts faults of one strategy into few promotions; the order of the strategies is the plan's. A rollout goes back once,
 * and comes to no stage after the one in which it is stopped: what waits there gets another promotion.
 */
export function roundsOf(faults: readonly Fault[]): Round[] {
  const rounds: Round[] = [];
  for (const fault of faults) {
    const free = rounds.find(
      ({ strategy, faults: taken }) => strategy === fault.strategy && goTogether([...taken, fault]),
    );
    if (free) free.faults.push(fault);
    else rounds.push({ strategy: fault.strategy, faults: [fault] });
  }
  return rounds;
}

/** Whether one promotion comes to the steps of all these faults of one strategy. */
export function goTogether(faults: readonly Fault[]): boolean {
  const steps = faults.map(({ step }) => step);
  const [first, second] = faults.filter(({ step }) => step === 'abort' || step === 'rollback');
  if (new Set(steps).size < steps.length || second) return false;
  return (
    first === undefined ||
    steps.every((step) => typeof step !== 'number' || step < stagesBefore(first.strategy, first.stop))
  );
}

/** What was planned and did not strike, one sentence each. */
export function unstruck(planned: readonly Fault[], struck: readonly Fault[]): string[] {
  return planned
    .filter((fault) => !struck.includes(fault))
    .map((fault) => `${fault.strategy}: never struck: ${faultText(fault)}`);
}
