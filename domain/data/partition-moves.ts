import type { Moves } from '../state-moves.js';

export type PartitionState = 'valid' | 'quarantined' | 'released' | 'discarded';
/** Validation writes the first two, once for a content; a person decides on what is in quarantine. */
export const partitionMoves: Moves<PartitionState> = {
  valid: [],
  quarantined: [],
  released: ['quarantined'],
  discarded: ['quarantined'],
};
