import type { CanaryPolicy, RolloutStep } from './rollout-policy.js';
import type { Split } from './route.js';
import type { Verdict } from './verdict.js';

export type RolloutState = 'running' | 'paused' | 'completed' | 'rolled-back' | 'aborted' | 'failed';

/** What comes after a look. */
export type RolloutMove = 'next-step' | 'look-again' | 'pause' | 'roll-back';

export interface StepStanding {
  verdict: Verdict;
  /** Seconds that the step has run, pauses left out. */
  elapsedSeconds: number;
}

/** The next move of a canary: a pass counts only once the step has lasted its least time; no data never advances. */
export function moveAfterLook(policy: CanaryPolicy, step: RolloutStep, { verdict, elapsedSeconds }: StepStanding): RolloutMove {
  switch (verdict) {
    case 'fail':
      return 'roll-back';
    case 'pass':
      return elapsedSeconds >= step.minSeconds ? 'next-step' : 'look-again';
    case 'no-data':
      return elapsedSeconds >= step.maxSeconds ? 'pause' : 'look-again';
    case 'inconclusive':
      if (elapsedSeconds < step.maxSeconds || policy.onInconclusive === 'extend') return 'look-again';
      return policy.onInconclusive === 'pause' ? 'pause' : 'roll-back';
    default:
      return verdict satisfies never;
  }
}

/** The split of a step. The champion stands first until the challenger has everything. */
export function splitOf(champion: number | null, challenger: number, sharePct: number): Split {
  if (champion === null || champion === challenger || sharePct >= 100) return [{ version: challenger, sharePct: 100 }];
  return [
    { version: champion, sharePct: 100 - sharePct },
    { version: challenger, sharePct },
  ];
}

/** Looks that a step can have at most, which share its alpha. */
export function looksMax(policy: CanaryPolicy, step: RolloutStep): number {
  return Math.max(1, Math.min(50, Math.ceil(step.maxSeconds / policy.lookEverySeconds)));
}
