import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * What each activity does, in the words that the Temporal UI shows beside it. A test compares the names with the
 * activities there are.
 */
export const activitySummaries: Readonly<Record<string, string>> = {
  adoptModel: 'check an imported model, and give it the inputs and outputs of its contract',
  awaitRolloutEnd: 'wait until the rollout is over',
  awaitRolloutTurn: 'wait until no other rollout of the model runs',
  cancelRollout: 'cancel the rollout, which then rolls back',
  compactDay: 'merge what was shipped on a day that is over',
  decideRunGates: 'evaluate the gates of the definition',
  escalate: 'record the escalation: more people may approve',
  evaluateRun: 'evaluate candidate and champion on the same holdout',
  findDaysToCompact: 'find days of logs that have something to merge',
  gatherEvidence: 'gather evidence: candidate against champion',
  epochToLeave: 'check whether the version is still champion',
  lookAtLabels: 'analysis run on late labels',
  lookAtRollout: 'analysis run: one look of the judge',
  openPromotion: 'record promotion request',
  openRun: 'record run start',
  closeUnwatched: 'record the end of a rollout whose workflow is gone',
  closeRun: 'record run end',
  planGivingBack: 'find the previous champion, and whether the share is still in force',
  planReview: 'read the policy for late labels',
  planRollback: 'select the version to roll back to',
  planRollout: 'settle champion, stages and policy',
  probe: 'probe every gateway for an answer by this version',
  reconcileOpenRows: 'close open rows whose workflow has ended, once',
  recordLastWord: 'record the verdict on late labels',
  recordPolicyApproval: 'record approval by policy',
  registerRun: 'register the version, and write its model card',
  releaseLease: 'release lease',
  remind: 'record reminder',
  removeOldLogs: 'delete expired prediction logs and labels',
  removeOldRows: 'delete expired rows',
  removeSupersededFiles: 'remove files of the lake that no longer count',
  rollUpServingWindows: 'roll up serving counts',
  ruleOnSteering: 'authorize the command, and record it',
  ruleOnDecision: 'authorize the decision, and record it',
  setPromotionState: 'record promotion state',
  setRolloutState: 'record rollout state',
  supersedeOlder: 'notify older candidates that still wait',
  supersededBy: 'check for a newer candidate',
  takeRolloutLease: 'acquire the rollout lease, or retry while another rollout holds it',
  takeSnapshot: 'snapshot and validate the data',
  takeTrainingLease: 'acquire a training slot, or retry while other runs hold them',
  trainFold: 'train the model that has not seen a fold',
  train: 'run the trainer',
  verifyPromotion: 'verify evidence and approvals again',
  waitForAcknowledgement: 'wait until every gateway serves the route',
  waitUntilAcknowledged: 'wait until every gateway serves the route, without a deadline',
  watchOpenRows: 'close open rows whose workflow has ended, pass after pass',
  writeRoute: 'write the route under the next epoch',
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
