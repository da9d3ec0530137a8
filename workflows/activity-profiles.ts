import { proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { RequestActivities } from '../activities/requests.js';
import type { EvaluationActivities } from '../activities/evaluation.js';
import type { GatewayActivities } from '../activities/gateways.js';
import type { LeaseActivities } from '../activities/leases.js';
import type { PromotionActivities } from '../activities/promotions.js';
import type { ReconciliationActivities } from '../activities/reconciliation.js';
import type { RegistryActivities } from '../activities/registry.js';
import type { ReviewActivities } from '../activities/reviews.js';
import type { RolloutLookActivities } from '../activities/rollout-looks.js';
import type { RolloutActivities } from '../activities/rollouts.js';
import type { RunActivities } from '../activities/runs.js';
import type { SnapshotActivities } from '../activities/snapshot.js';
import type { SupersedingActivities } from '../activities/superseding.js';
import type { SteeringActivities } from '../activities/steering.js';
import type { TrainingActivities } from '../activities/training.js';
import { taskQueues } from '../domain/task-queues.js';

/** Checks a workflow's input beside its first task. Three quick tries bridge a database that restarts; a bad input is not retried at all. */
export const parsing = () =>
  proxyLocalActivities<RequestActivities>({
    startToCloseTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '5s', maximumAttempts: 30 },
  });

/** Small reads and writes of facts. They end in milliseconds; 30 s covers a slow database, and they are retried until it is back. */
export const facts = () =>
  proxyActivities<
    RunActivities &
      LeaseActivities &
      PromotionActivities &
      SupersedingActivities &
      RegistryActivities &
      RolloutActivities &
      SteeringActivities &
      Omit<ReviewActivities, 'lookAtLabels'>
  >({
    taskQueue: taskQueues(workflowInfo().taskQueue).activities,
    startToCloseTimeout: '30s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/** A look of the judge. With labels it reads logs from the object store, which may take minutes; repeated until it succeeds, however long the store is away. */
export const looking = () =>
  proxyActivities<RolloutLookActivities & Pick<ReviewActivities, 'lookAtLabels'>>({
    taskQueue: taskQueues(workflowInfo().taskQueue).activities,
    startToCloseTimeout: '10m',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/** A pass over what is open asks Temporal of each, with a heartbeat at every question; repeated until it succeeds, the next one would do the same. */
export const reconciling = () =>
  proxyActivities<ReconciliationActivities>({
    taskQueue: taskQueues(workflowInfo().taskQueue).activities,
    startToCloseTimeout: '5m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
  });

/** Asks again until a lease is free: each try is short, the wait lives in the retries and leaves no trace in the history. */
export const queueing = () =>
  proxyActivities<Pick<LeaseActivities, 'takeTrainingLease' | 'takeRolloutLease'>>({
    taskQueue: taskQueues(workflowInfo().taskQueue).activities,
    startToCloseTimeout: '10s',
    retry: { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
  });

/** Waits for gateways, inside one activity that heartbeats each second; 10 s without one means that its worker died. */
export const gatewayWaits = (waitAtMostSeconds: number) =>
  proxyActivities<GatewayActivities>({
    taskQueue: taskQueues(workflowInfo().taskQueue).activities,
    startToCloseTimeout: (waitAtMostSeconds + 30) * 1000,
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/** Work on data: minutes to hours, a heartbeat every second or two, so that 15 s of silence means that the worker died. Five tries outlast four deaths. */
export const heavy = () =>
  proxyActivities<SnapshotActivities & TrainingActivities & EvaluationActivities>({
    taskQueue: taskQueues(workflowInfo().taskQueue).training,
    startToCloseTimeout: '24h',
    heartbeatTimeout: '15s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 5 },
  });
