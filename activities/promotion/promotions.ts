import type { Environment } from '../../domain/names.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import {
  decisionsOf,
  openPromotion,
  promotionById,
  recordEscalation,
  recordReminder,
  setPromotionState,
} from '../../db/promotion/promotion-queries.js';
import { decisionTrust } from './decision-trust.js';
import type { ActivityDependencies } from '../dependencies.js';
import { evidenceFacts } from './evidence-facts.js';
import { writeOrder } from '../write-order.js';

/** Promotions: opened, moved from state to state, and asked once more before they have an effect. */
export function createPromotionActivities(deps: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  const { db } = deps;
  return {
    openPromotion: (promotion: {
      id: string;
      workflowId: string;
      model: string;
      version: number;
      environment: Environment;
      requestedBy: string;
    }) => openPromotion(db, promotion),

    setPromotionState: ({
      promotionId,
      state,
      reason,
    }: {
      promotionId: string;
      state: PromotionState;
      reason: string | null;
    }) => setPromotionState(db, promotionId, state, reason, writeOrder()),

    remind: ({ promotionId }: { promotionId: string }) => recordReminder(db, promotionId),

    /** Writes down that nobody decided for so long that others may approve too. */
    escalate: ({ promotionId }: { promotionId: string }) => recordEscalation(db, promotionId),

    /**
     * Asked again just before the effect: the evidence shown is still true, and the recorded decisions on it satisfy
     * the policy, their signatures included.
     */
    async verifyPromotion({ promotionId }: { promotionId: string }): Promise<{ holds: boolean; reason: string }> {
      const promotion = await promotionById(db, promotionId);
      const stale = await evidenceFacts(deps).whyStale(promotion);
      if (stale !== null) return { holds: false, reason: stale };
      const doubt = await decisionTrust(deps.config).whyNotLetIn(promotion, await decisionsOf(db, promotionId));
      return doubt === null ? { holds: true, reason: '' } : { holds: false, reason: doubt };
    },
  };
}

export type PromotionActivities = ReturnType<typeof createPromotionActivities>;
