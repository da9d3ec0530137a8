import { condition, patched } from '@temporalio/workflow';
import { requirementsOf, requirementText } from '../../domain/promotion/approval-slots.js';
import { needsNoApproval } from '../../domain/promotion/approval-state.js';
import { quickActivities } from '../activity-profiles.js';
import { historyIsLong } from '../long-history.js';
import { mark } from '../timeline.js';
import { DecisionWait } from './decision-wait.js';
import type { PromotionEnd } from './promotion-progress.js';
import type { PromotionRun } from './promotion-run.js';

/** Waits until the version may come in: by its policy alone, or by the decisions that it asks for. */
export async function decide(promotion: PromotionRun): Promise<PromotionEnd | undefined> {
  const { progress } = promotion;
  if (!progress.shown || progress.state === 'rolling-out') return undefined;
  const { champion } = progress.shown;
  return needsNoApproval(promotion.terms.policy, champion) ? letIn(promotion, champion) : askPeople(promotion);
}

async function letIn(promotion: PromotionRun, champion: number | null): Promise<PromotionEnd | undefined> {
  const { recorded } = promotion;
  const stopped = () => recorded.decisions.some((one) => one.counted && one.decision !== 'approve');
  await untilCutOver(promotion, stopped);
  if (promotion.progress.shown?.notBefore !== undefined && stopped())
    return { state: 'withdrawn', reason: recorded.lastReason };
  await recorded.hold('the policy admits this version without an approval');
  await recorded.ruleByPolicy(
    champion === null ? 'first version of an empty environment' : 'the policy requires no approval',
  );
  return undefined;
}

async function askPeople(promotion: PromotionRun): Promise<PromotionEnd | undefined> {
  const { progress, timeline, recorded, promotionId } = promotion;
  const { policy, startedMs, deadlineMs } = promotion.terms;
  if (progress.state !== 'waiting-for-approval') {
    await promotion.enter('waiting-for-approval');
    // The list in the Temporal UI then says which workflow waits for a person.
    if (patched('marks-waiting')) mark({ outcome: 'waiting-for-approval' });
  }
  timeline.doing(
    `waiting for approvals, ${requirementText(requirementsOf(policy, recorded.escalatedAt !== null))}: Update ` +
      `decidePromotion, or Signal approve or reject with \`{"actor": "you@example.com", "comment": "why"}\``,
  );
  const wait = new DecisionWait({
    recorded,
    policy,
    promotionId,
    timeline,
    startedMs,
    deadlineMs,
    remindAtMs: progress.remindAtMs,
  });
  while (progress.newer === null) {
    await wait.untilDecided(() => progress.toldToGiveWay || historyIsLong());
    progress.remindAtMs = wait.remindAtMs;
    if (progress.toldToGiveWay) {
      progress.toldToGiveWay = false;
      progress.newer = (await quickActivities().supersededBy({ promotionId })).version;
    } else if (wait.standing === 'waiting' && !wait.expired) await promotion.carryOver();
    else break;
  }
  await untilCutOver(promotion, () => wait.standing !== 'approved');
  await recorded.hold('the promotion has been decided');
  const { standing } = wait;
  if (standing === 'waiting' && progress.newer !== null)
    return { state: 'superseded', reason: `version ${progress.newer} was requested after it` };
  if (standing === 'waiting')
    return { state: 'expired', reason: `no decision within ${policy.expireAfterHours} hours` };
  if (standing !== 'approved') return { state: standing, reason: recorded.lastReason };
  timeline.finished(`approved by ${recorded.approvers.join(', ')}`);
  return undefined;
}

/** Waits for the moment of a declared cut-over. Until then it can still be stopped. */
async function untilCutOver(promotion: PromotionRun, stopped: () => boolean): Promise<void> {
  const notBefore = promotion.progress.shown?.notBefore;
  const waitMs = notBefore === undefined ? 0 : Date.parse(notBefore) - Date.now();
  if (waitMs <= 0 || stopped()) return;
  promotion.timeline.doing(`approved; waiting for its cut-over at ${notBefore}. Until then it can be withdrawn.`);
  await condition(() => stopped() || historyIsLong(), waitMs);
  if (!stopped() && historyIsLong()) await promotion.carryOver();
}
