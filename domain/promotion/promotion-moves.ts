import type { Moves } from '../state-moves.js';
import type { PromotionState } from './promotion.js';

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
