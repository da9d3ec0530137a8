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

/** Seconds from one look to the next: a step that has gone on for long is looked at less often, so that its looks stay few and share the alpha well. */
export function lookAfterSeconds(policy: CanaryPolicy, elapsedSeconds: number): number {
  return Math.max(policy.lookEverySeconds, elapsedSeconds / 4);
}

const extendedHorizonSeconds = 30 * 86_400;

/** Looks that a step can have at most: until its longest time, or 30 days where an inconclusive step is extended. */
export function looksMax(policy: CanaryPolicy, step: RolloutStep): number {
  const horizon = policy.onInconclusive === 'extend' ? Math.max(step.maxSeconds, extendedHorizonSeconds) : step.maxSeconds;
  let looks = 0;
  for (let elapsed = 0; elapsed < horizon; looks += 1) elapsed += lookAfterSeconds(policy, elapsed);
  return looks;
}
