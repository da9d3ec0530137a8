import type { ActivityQueue } from '../domain/task-queues.js';
import type { ActivityDependencies } from './dependencies.js';
import { createCompactionActivities } from './serving/compaction.js';
import { createEvaluationActivities } from './evaluation/evaluation.js';
import { createEvidenceActivities } from './promotion/evidence.js';
import { createAcknowledgementActivities } from './serving/acknowledgements.js';
import { createProbeActivities } from './serving/probes.js';
import { createRouteActivities } from './serving/routes.js';
import { createRunGateActivities } from './evaluation/run-gates.js';
import { createDecisionActivities } from './promotion/decisions.js';
import { createGivingBackActivities } from './rollout/giving-back.js';
import { createLakeRetentionActivities } from './data/lake-retention.js';
import { createLeaseActivities } from './leases.js';
import { mergeActivities } from './merge-activities.js';
import { createPromotionActivities } from './promotion/promotions.js';
import { createReconciliationActivities } from './reconciliation.js';
import { createRegistryActivities } from './model/registry.js';
import { createRequestActivities } from './parse-workflow-inputs.js';
import { createReviewActivities } from './rollout/reviews.js';
import { createRolloutLookActivities } from './rollout/rollout-looks.js';
import { createRetentionActivities } from './serving/retention.js';
import { createRolloutWaitActivities } from './rollout/rollout-waits.js';
import { createRolloutActivities } from './rollout/rollouts.js';
import { createRunActivities } from './training/runs.js';
import { createSnapshotActivities } from './data/snapshot.js';
import { createSupersedingActivities } from './promotion/supersede-older.js';
import { createSteeringActivities } from './rollout/steering.js';
import { createImportActivities } from './training/imports.js';
import { createTrainingActivities } from './training/training.js';

/**
 * All activities, by the queue on which workflows schedule them (`workflows/activity-profiles.ts`, which the compiler
 * holds to this).
 */
export function createActivities(deps: ActivityDependencies) {
  const all = mergeActivities({
    acknowledgements: createAcknowledgementActivities(deps),
    compaction: createCompactionActivities(deps),
    decisions: createDecisionActivities(deps),
    evaluation: createEvaluationActivities(deps),
    evidence: createEvidenceActivities(deps),
    givingBack: createGivingBackActivities(deps),
    imports: createImportActivities(deps),
    lakeRetention: createLakeRetentionActivities(deps),
    leases: createLeaseActivities(deps),
    probes: createProbeActivities(deps),
    promotions: createPromotionActivities(deps),
    reconciliation: createReconciliationActivities(deps),
    registry: createRegistryActivities(deps),
    requests: createRequestActivities(deps),
    retention: createRetentionActivities(deps),
    reviews: createReviewActivities(deps),
    rollouts: createRolloutActivities(deps),
    rolloutLooks: createRolloutLookActivities(deps),
    rolloutWaits: createRolloutWaitActivities(deps),
    routes: createRouteActivities(deps),
    runGates: createRunGateActivities(deps),
    runs: createRunActivities(deps),
    snapshots: createSnapshotActivities(deps),
    steering: createSteeringActivities(deps),
    superseding: createSupersedingActivities(deps),
    training: createTrainingActivities(deps),
  });
  const {
    parseTrainRequest,
    parseImportRequest,
    parsePromoteRequest,
    parseRolloutRequest,
    parseReviewRequest,
    parseRollbackRequest,
    ...remote
  } = all;
  const { takeTrainingLease, takeRolloutLease, awaitRolloutTurn, awaitRolloutEnd, watchOpenRows, ...some } = remote;
  const { waitForAcknowledgement, waitUntilAcknowledged, probe, ...others } = some;
  const { gatherEvidence, lookAtRollout, lookAtLabels, takeSnapshot, evaluateRun, compactDay, ...most } = others;
  const { train, trainFold, adoptModel, ...activities } = most;
  return {
    /** Beside the workflow task itself. */
    local: {
      ...{ parseTrainRequest, parseImportRequest, parsePromoteRequest },
      ...{ parseRolloutRequest, parseReviewRequest, parseRollbackRequest },
    },
    activities,
    waits: {
      ...{ takeTrainingLease, takeRolloutLease, awaitRolloutTurn, awaitRolloutEnd, watchOpenRows },
      ...{ waitForAcknowledgement, waitUntilAcknowledged, probe },
    },
    judging: { lookAtRollout, lookAtLabels },
    evidence: { gatherEvidence },
    data: { takeSnapshot, evaluateRun, compactDay },
    training: { train, trainFold, adoptModel },
  } satisfies Record<ActivityQueue | 'local', object>;
}

export type Activities = ReturnType<typeof createActivities>;
type Registered = Activities & { local: object };

/**
 * What a worker of a queue must know: also what workflows of before scheduled there, when there were fewer queues, and
 * are still waiting for.
 */
export function activitiesOf(queue: ActivityQueue, registered: Registered): object {
  const { activities, waits, judging, evidence, data, training } = registered;
  if (queue === 'activities') return { ...activities, ...waits, ...judging };
  if (queue === 'judging') return { ...judging, ...evidence };
  const { takeSnapshot, evaluateRun } = data;
  if (queue === 'training') return { ...training, ...evidence, takeSnapshot, evaluateRun };
  return registered[queue];
}
