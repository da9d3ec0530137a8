import type { PlannedRollout } from '../activities/rollouts.js';
import type { LeaseGrant } from '../domain/lease.js';
import { splitOf, type RolloutState } from '../domain/rollout.js';
import type { RolloutStatus } from './messages.js';

export interface RolloutResult {
  rolloutId: string;
  state: RolloutState;
  reason: string;
  epoch: number | null;
}

/** Where a rollout is; carried over when its history grows long. */
export interface RolloutProgress {
  lease: LeaseGrant;
  step: number;
  /** The route written for this step, null before. */
  epoch: number | null;
  /** The first epoch of the step before, to judge a last step against. */
  previousEpoch: number | null;
  look: number;
  stepElapsedMs: number;
  lastLook: string | null;
}

export const noProgress = (lease: LeaseGrant): RolloutProgress => ({
  lease,
  step: 0,
  epoch: null,
  previousEpoch: null,
  look: 0,
  stepElapsedMs: 0,
  lastLook: null,
});

/** What a rollout answers when it is asked where it is. */
export function statusOf(
  { plan, progress, challenger }: { plan: PlannedRollout; progress: RolloutProgress; challenger: number },
  run: Pick<RolloutStatus, 'rolloutId' | 'state' | 'reason'>,
): RolloutStatus {
  const { champion, steps } = plan;
  const { step, epoch, lastLook } = progress;
  const split = epoch === null ? null : splitOf(champion, challenger, steps[step]?.sharePct ?? 100);
  return { ...run, champion, challenger, step: Math.min(step + 1, steps.length), steps: steps.length, epoch, lastLook, split };
}
