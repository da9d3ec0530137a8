import type { Moves } from '../state-moves.js';
import type { RolloutState } from './move-after-look.js';

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
