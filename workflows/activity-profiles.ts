import type { Priority } from '@temporalio/common';
import { proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import type { ReconciliationActivities } from '../activities/reconciliation.js';
import type { GivingBackActivities } from '../activities/rollout/giving-back.js';
import type { LakeRetentionActivities } from '../activities/data/lake-retention.js';
import type { RetentionActivities } from '../activities/serving/retention.js';
import { taskQueues, type ActivityQueue } from '../domain/task-queues.js';

/** Of the workflow's own installation: its activities are taken from the queues that belong to its workflow queue. */
const queue = (name: ActivityQueue): string => taskQueues(workflowInfo().taskQueue)[name];

/**
 * Checks a workflow's input beside its first task. Three quick tries bridge a database that restarts; a bad input is
 * not retried at all.
 */
export const inputChecks = () =>
  proxyLocalActivities<Activities['local']>({
    startToCloseTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '5s', maximumAttempts: 30 },
  });

/**
 * Small reads and writes of facts. They end in milliseconds; 30 s covers a slow database, and they are retried until it
 * is back.
 */
export const quickActivities = () =>
  proxyActivities<
    Omit<
      Activities['activities'],
      keyof ReconciliationActivities | keyof GivingBackActivities | keyof RetentionActivities
    >
  >({
    taskQueue: queue('activities'),
    startToCloseTimeout: '30s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/**
 * A look of the judge. With labels it reads logs from the object store, which may take minutes; repeated until it
 * succeeds, however long the store is away.
 */
export const lookActivities = () =>
  proxyActivities<Activities['judging']>({
    taskQueue: queue('judging'),
    priority: { priorityKey: 1 },
    startToCloseTimeout: '10m',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/**
 * What the reconciler asks and writes: of each open row it asks Temporal, with a heartbeat at every question; repeated
 * until it succeeds.
 */
export const reconcileActivities = () =>
  proxyActivities<Pick<Activities['activities'], 'reconcileOpenRows' | 'planGivingBack' | 'closeUnwatched'>>({
    taskQueue: queue('activities'),
    startToCloseTimeout: '5m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
  });

/**
 * Counts in bounded batches, with a heartbeat each second; repeated until it succeeds, and what a try rolled up stays
 * so.
 */
export const rollingUp = () =>
  proxyActivities<Pick<RetentionActivities, 'rollUpServingWindows'>>({
    taskQueue: queue('activities'),
    startToCloseTimeout: '10m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  });

/** Old rows and objects in bounded batches; three tries, for the next hour does the same. */
export const removing = () =>
  proxyActivities<Omit<RetentionActivities, 'rollUpServingWindows'> & LakeRetentionActivities>({
    taskQueue: queue('activities'),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 4, maximumAttempts: 3 },
  });

/**
 * Days of logs: bounded parts of a minute or so behind all work of runs, with a heartbeat each second; three tries, for
 * the next pass does the same.
 */
const compaction = {
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 4, maximumAttempts: 3 },
} as const;

export const daySearch = () =>
  proxyActivities<Pick<Activities['activities'], 'findDaysToCompact'>>({
    ...compaction,
    taskQueue: queue('activities'),
  });

export const compacting = () =>
  proxyActivities<Pick<Activities['data'], 'compactDay'>>({
    ...compaction,
    taskQueue: queue('data'),
    priority: { priorityKey: 5 },
  });

/**
 * Passes over what is open, for hours, with a heartbeat each second: 30 s without one means that its worker died, and
 * another goes on.
 */
export const watching = () =>
  proxyActivities<Pick<Activities['waits'], 'watchOpenRows'>>({
    taskQueue: queue('waits'),
    startToCloseTimeout: '24h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
  });

type TurnTaking = 'takeTrainingLease' | 'takeRolloutLease' | 'awaitRolloutTurn' | 'awaitRolloutEnd';

/**
 * Waits for another to end. Each try is short; the activity itself says when the next one comes, later the longer it
 * has waited. Between them it waits in Temporal: it leaves no trace in the history and holds no slot, so that any
 * number may wait for any time.
 */
export const lockWaits = () =>
  proxyActivities<Pick<Activities['waits'], TurnTaking>>({
    taskQueue: queue('waits'),
    startToCloseTimeout: '10s',
    retry: { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
  });

/** Waits for gateways, inside one activity that heartbeats each second; 10 s without one means that its worker died. */
export const gatewayWaits = (waitAtMostSeconds: number) =>
  proxyActivities<Omit<Activities['waits'], TurnTaking | 'watchOpenRows'>>({
    taskQueue: queue('waits'),
    startToCloseTimeout: (waitAtMostSeconds + 30) * 1000,
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
  });

/**
 * Work of minutes to hours: a heartbeat every second or two, so that 15 s of silence means that the worker died. Five
 * tries outlast four deaths. How long it waits in its queue is not bounded.
 */
const long = {
  startToCloseTimeout: '24h',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 5 },
} as const;

/**
 * Evidence for those who decide: minutes where the models are evaluated again, less than a second where they are not.
 * In slots of its own, so that no look waits behind it.
 */
export const evidence = () => proxyActivities<Activities['evidence']>({ ...long, taskQueue: queue('evidence') });

/** Snapshots and evaluations of runs, in the order that `priority` says. */
export const dataWork = (priority?: Priority) =>
  proxyActivities<Omit<Activities['data'], 'compactDay'>>({
    ...long,
    taskQueue: queue('data'),
    ...(priority && { priority }),
  });

/** Trainers, in the order that `priority` says. */
export const trainers = (priority?: Priority) =>
  proxyActivities<Activities['training']>({ ...long, taskQueue: queue('training'), ...(priority && { priority }) });
