import type { Environment } from './names.js';

/** Workflow ids are names that people read, not locks. Built and taken apart here only. */
export const workflowIds = {
  train: (model: string, cause: { kind: string; id: string }) => `train/${model}/${cause.kind}-${cause.id}`,
  import: (model: string, digest: string) => `import/${model}/${digest.slice(0, 12)}`,
  promote: (model: string, version: number, environment: Environment) => `promote/${model}/${version}/${environment}`,
  rollout: (environment: Environment, model: string) => `rollout/${environment}/${model}`,
  review: (environment: Environment, model: string, version: number) => `review/${environment}/${model}/${version}`,
  rollback: (environment: Environment, model: string, epoch: number) => `rollback/${environment}/${model}/${epoch}`,
  giveBack: (environment: Environment, model: string) => `give-back/${environment}/${model}`,
} as const;

/** `flight-delay@2` taken apart; the version is undefined where none is named. */
export function parseVersionRef(text: string): { model: string; version: number | undefined } | undefined {
  const match = /^([a-z][a-z0-9-]{0,62})(?:@([1-9]\d{0,8}))?$/.exec(text);
  if (!match?.[1]) return undefined;
  return { model: match[1], version: match[2] === undefined ? undefined : Number(match[2]) };
}

/** Names of the lease rows that keep what may run once at a time. */
export const leaseNames = {
  /** The model's slots, counted from 1. */
  training: (model: string, slot = 1) => (slot === 1 ? `train/${model}` : `train/${model}/${slot}`),
  rollout: (environment: Environment, model: string) => `rollout/${environment}/${model}`,
} as const;

/**
 * The workflow that closes what ended without being ended, and the schedule that keeps it running; Temporal adds a time
 * to the first.
 */
export const reconcilerIds = { schedule: 'perdure-reconciler', workflow: 'reconcile' } as const;

/** The workflow that rolls up counts and removes what is old, and the schedule that keeps it running. */
/** What merges the logs of days that are over, likewise. */
export const compactionIds = { schedule: 'perdure-log-compaction', workflow: 'compact-logs' } as const;

export const retentionIds = { schedule: 'perdure-retention', workflow: 'retain' } as const;

export const scheduleIds = {
  of: (model: string, schedule: string) => `perdure/${model}/${schedule}`,
  prefix: 'perdure/',
} as const;
