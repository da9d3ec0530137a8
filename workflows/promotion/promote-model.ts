import { CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import type { PromoteRequest } from '../../domain/workflow-inputs.js';
import { failureText } from '../failure-text.js';
import { decide } from './promotion-approval.js';
import { carryOut } from './promotion-effect.js';
import { showEvidence } from './promotion-evidence.js';
import type { CarriedPromotion, PromotionResult } from './promotion-progress.js';
import { PromotionRun } from './promotion-run.js';

export type { PromotionResult };

/**
 * Takes a version into an environment: evidence, decisions by people, rollout, and then the next environment of the
 * policy. Only decisions end it before it moves traffic: a cancellation has no actor. One that comes while it rolls out
 * goes back to the champion.
 */
export async function promoteModel(input: PromoteRequest, carried?: CarriedPromotion): Promise<PromotionResult> {
  const promotion = new PromotionRun(input, carried);
  CancellationScope.current().cancelRequested.catch(() => promotion.cancel());
  return CancellationScope.nonCancellable(() => promote(promotion));
}

async function promote(promotion: PromotionRun): Promise<PromotionResult> {
  await promotion.begin();
  try {
    for (;;) {
      const end = (await showEvidence(promotion)) ?? (await decide(promotion)) ?? (await carryOut(promotion));
      if (end) return await promotion.close(end);
    }
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    await promotion.close({ state: isCancellation(error) ? 'rolled-back' : 'failed', reason: failureText(error) });
    throw error;
  }
}
