import { ParentClosePolicy, patched, startChild } from '@temporalio/workflow';
import { workflowIds } from '../../domain/ids.js';
import { environmentAfter } from '../../domain/promotion/promotion-preconditions.js';
import { quickActivities } from '../activity-profiles.js';
import type { RolloutResult } from '../rollout/rollout-progress.js';
import { isAlreadyStarted } from '../already-started.js';
import { mark } from '../timeline.js';
import type { PromotionEnd } from './promotion-progress.js';
import { PromotionRollout } from './promotion-rollout.js';
import type { Promotion, PromotionRun } from './promotion-run.js';

/** Checks that what was shown still holds, rolls the version out, and asks for the next environment. */
export async function carryOut(promotion: PromotionRun): Promise<PromotionEnd | undefined> {
  const { progress, timeline, recorded, promotionId } = promotion;
  const { asked } = promotion.terms;
  if (progress.state !== 'rolling-out') {
    const { holds, reason } = await quickActivities().verifyPromotion({ promotionId });
    if (!holds) return promotion.gatherAgain(reason);
    recorded.close('it is approved: to stop it now, abort the rollout or roll back');
    await promotion.enter('rolling-out');
    if (patched('marks-waiting')) mark({ outcome: 'rolling-out' });
    timeline.doing(`rolling out to ${asked.environment}`);
  }
  const rollout = await rollOut(promotion);
  if ('stale' in rollout) return promotion.gatherAgain(rollout.stale);
  if (rollout.state !== 'completed')
    return { state: rollout.state === 'failed' ? 'failed' : 'rolled-back', reason: rollout.reason };
  timeline.finished(`serves in ${asked.environment} since epoch ${rollout.epoch}`);
  await askForNext(promotion);
  return { state: 'promoted', reason: `${asked.model}@${asked.version} is champion in ${asked.environment}` };
}

async function rollOut(promotion: PromotionRun): Promise<RolloutResult | { stale: string }> {
  const { progress, timeline, promotionId } = promotion;
  const { model, version, environment, alsoShadow } = promotion.terms.asked;
  const args = { model, version, environment, promotionId, ...(alsoShadow.length > 0 && { alsoShadow }) };
  promotion.rollout = new PromotionRollout(args, {
    onQueued: () =>
      timeline.doing(
        `approved; waiting for another rollout of ${model} in ${environment} to end, then continues automatically`,
      ),
    onBegun: (rolloutId) => void (progress.rolloutId = rolloutId),
    cancelled: () => progress.cancelled,
    carryOver: () => promotion.carryOver(),
  });
  return progress.rolloutId === null ? promotion.rollout.run() : promotion.rollout.resume(progress.rolloutId);
}

async function askForNext(promotion: PromotionRun): Promise<void> {
  const { policy, asked } = promotion.terms;
  const { model, version, requestedBy, alsoShadow } = asked;
  const environment = environmentAfter(policy, asked.environment);
  if (!environment) return;
  if (asked.stays)
    return promotion.timeline.note(
      `not promoted to ${environment}: it was trained on a sample of ${asked.environment}`,
    );
  try {
    await startChild<Promotion>('promoteModel', {
      workflowId: workflowIds.promote(model, version, environment),
      args: [{ model, version, environment, requestedBy, ...(alsoShadow.length > 0 && { alsoShadow }) }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${model}@${version} to ${environment}`,
    });
  } catch (error) {
    if (!isAlreadyStarted(error)) throw error;
  }
}
