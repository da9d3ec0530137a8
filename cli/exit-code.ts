import { errorTraits, PerdureError } from '../domain/errors.js';
import type { RunOutcome } from '../domain/training/run.js';

/** Ctrl-C while something was waited for; what was started goes on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(message = 'Interrupted.') {
    super(message);
  }
}

/**
 * 0 done · 1 unexpected · 2 usage · 3 a gate did not pass · 4 rejected or expired · 5 rolled back · 6 not found · 7 a
 * server is unreachable · 130 interrupted.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return 130;
  return error instanceof PerdureError ? errorTraits(error.code).exitCode : 1;
}

export function exitCodeOfRun(outcome: RunOutcome): number {
  switch (outcome) {
    case 'registered':
    case 'no-new-data':
    case 'unchanged':
      return 0;
    case 'gate-not-passed':
    case 'quarantined':
      return 3;
    case 'data-missing':
      return 6;
    case 'training-failed':
    case 'cancelled':
    case 'failed':
      return 1;
    default:
      return outcome satisfies never;
  }
}

/** For the end of a promotion or a rollout; a state that is no end counts as done so far. */
export function exitCodeOfState(state: string): number {
  if (['rejected', 'expired', 'withdrawn', 'superseded'].includes(state)) return 4;
  if (['rolled-back', 'aborted'].includes(state)) return 5;
  return state === 'failed' ? 1 : 0;
}

/** With its causes, for PERDURE_DEBUG. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? (error.stack ?? error.message)
    : `${error.stack ?? error.message}\ncaused by ${explainError(error.cause)}`;
}
