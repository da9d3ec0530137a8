import type { PromotionState } from './promotion/promotion.js';
import type { RolloutState } from './rollout/rollout.js';

/** Of each state of a thing: the states that it may follow. A write of the state names them in its own statement. */
type Moves<State extends string> = Readonly<Record<State, readonly State[]>>;

const openPromotion = ['gathering-evidence', 'waiting-for-approval', 'rolling-out'] as const;
/**
 * Evidence that is out of date sends a promotion back to waiting; its ends follow what is open, and nothing follows an
 * end.
 */
export const promotionMoves: Moves<PromotionState> = {
  'gathering-evidence': [],
  'waiting-for-approval': openPromotion,
  'rolling-out': openPromotion,
  promoted: ['rolling-out'],
  'rolled-back': ['rolling-out'],
  rejected: ['waiting-for-approval'],
  expired: ['waiting-for-approval'],
  withdrawn: openPromotion,
  superseded: openPromotion,
  failed: openPromotion,
};

const openRollout = ['running', 'paused'] as const;
/** What is paused must run again before it can be completed; it may go back at once. */
export const rolloutMoves: Moves<RolloutState> = {
  running: openRollout,
  paused: openRollout,
  completed: ['running'],
  'rolled-back': openRollout,
  aborted: openRollout,
  failed: openRollout,
};

export type PartitionState = 'valid' | 'quarantined' | 'released' | 'discarded';
/** Validation writes the first two, once for a content; a person decides on what is in quarantine. */
export const partitionMoves: Moves<PartitionState> = {
  valid: [],
  quarantined: [],
  released: ['quarantined'],
  discarded: ['quarantined'],
};

/** Whether nothing follows this state: what has come there is over. */
export function isEnd<State extends string>(moves: Moves<State>, state: State): boolean {
  return !(Object.values(moves) as (readonly State[])[]).some((before) => before.includes(state));
}

/** The states that are no end. */
export function openStates<State extends string>(moves: Moves<State>): State[] {
  return (Object.keys(moves) as State[]).filter((state) => !isEnd(moves, state));
}

/**
 * A number that rises with what a workflow has its activities do, and with the attempts of one: an attempt that was
 * given up, and goes on later, has a lower one than what came after it. The times are those of Temporal's clock, which
 * gave each its place.
 */
export function turnOf({ scheduledTimestampMs, attempt }: { scheduledTimestampMs: number; attempt: number }): number {
  return scheduledTimestampMs * 1000 + Math.min(attempt, 999);
}
