import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * What each activity does, in the words that the Temporal UI shows beside it. A test compares the names with the
 * activities there are.
 */
export const activitySummaries: Readonly<Record<string, string>> = {
  awaitRolloutEnd: 'wait until the rollout is over',
  awaitRolloutTurn: 'wait until no other rollout of the model runs',
  cancelRollout: 'tell the rollout to go back',
  compactDay: 'merge what was shipped on a day that is over',
  decideRunGates: 'ask every gate of the definition',
  escalate: 'write down that others may approve too',
  evaluateRun: 'candidate and champion on the same holdout',
  findDaysToCompact: 'find days of logs that have something to merge',
  gatherEvidence: 'candidate against the present champion, for those who decide',
  epochToLeave: 'is the version still champion',
  lookAtLabels: 'have enough labels come, and what do they say',
  lookAtRollout: 'one look of the judge',
  openPromotion: 'write down that the promotion was asked for',
  openRun: 'write down that the run began',
  closeUnwatched: 'write down how the rollout ended that nobody watched',
  closeRun: 'write down how the run ended',
  planGivingBack: 'find the champion of before, and whether the share is still there',
  planReview: 'find what the policy asks of late labels',
  planRollback: 'find the version to go back to',
  planRollout: 'settle champion, stages and policy',
  probe: 'ask every gateway for an answer by this version',
  reconcileOpenRows: 'find what is open and has no workflow any more, and close it',
  recordLastWord: 'write down what late labels said',
  recordPolicyApproval: 'write down that the policy lets it in',
  registerRun: 'give the model its version number, and write its card',
  releaseLease: 'let the next one go on',
  remind: 'write down a reminder',
  removeOldLogs: 'remove prediction logs and labels that are no longer kept',
  removeOldRows: 'remove rows that are no longer kept',
  removeSupersededFiles: 'remove files of the lake that no longer count',
  rollUpServingWindows: 'roll up what gateways counted',
  ruleOnSteering: 'may this command move traffic; written down either way',
  ruleOnDecision: 'does this decision count, and why',
  setPromotionState: 'write down where the promotion is',
  setRolloutState: 'write down where the rollout is',
  supersedeOlder: 'tell older candidates that still wait',
  supersededBy: 'is a newer candidate asked for',
  takeRolloutLease: 'wait until no other rollout of this model runs',
  takeSnapshot: 'freeze and validate the data',
  takeTrainingLease: 'wait until no other run of this model trains',
  train: 'run the trainer',
  verifyPromotion: 'is the evidence still true, do the decisions suffice',
  waitForAcknowledgement: 'wait until every gateway serves the route',
  waitUntilAcknowledged: 'wait until every gateway serves the route, however long it takes',
  watchOpenRows: 'close what is open and has no workflow any more, for some hours',
  writeRoute: 'put a route in force under the next epoch',
};

/** Gives every activity its summary. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const summary = activitySummaries[input.activityType];
        return next(summary === undefined ? input : { ...input, options: { ...input.options, summary } });
      },
    },
  ],
});
