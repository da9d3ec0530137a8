import type { PlannedRollout } from '../../activities/rollout/rollouts.js';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { RolloutState } from '../../domain/rollout/move-after-look.js';
import { routeOfStage } from '../../domain/rollout/strategy-stages.js';
import type { RolloutStatus } from '../messages.js';
import type { SteeringEntries } from './rollout-steering.js';
import type { TimelineLines } from '../timeline.js';

export interface RolloutResult {
  rolloutId: string;
  state: RolloutState;
  reason: string;
  epoch: number | null;
}

/** Where a rollout is. */
export interface RolloutProgress {
  lease: LeaseGrant;
  /** Place of the stage, from 0; under this name in inputs of runs that go on. */
  step: number;
  /** The route written for this stage, null before. */
  epoch: number | null;
  /** Whether gateways serve that route. Absent before one is written, and in what version 0.1.0 carried over. */
  acknowledged?: boolean;
  look: number;
  stepElapsedMs: number;
  lastLook: string | null;
  /** Why it goes back to the champion; absent while it does not. */
  back?: { state: 'rolled-back' | 'aborted'; message: string };
}

/**
 * What a rollout that continues as new goes on with; where it is only once it holds the lease. Version 0.1.0 carried
 * its progress alone.
 */
export type CarriedRollout = (RolloutProgress | { lease: null }) & {
  steering?: SteeringEntries;
  timeline?: TimelineLines;
};

export const noProgress = (lease: LeaseGrant): RolloutProgress => ({
  lease,
  step: 0,
  epoch: null,
  look: 0,
  stepElapsedMs: 0,
  lastLook: null,
});

/** What a rollout answers when it is asked where it is. */
export function statusOf(
  { plan, progress, challenger }: { plan: PlannedRollout; progress: RolloutProgress; challenger: number },
  run: Pick<RolloutStatus, 'rolloutId' | 'state' | 'reason'>,
): RolloutStatus {
  const { champion, stages } = plan;
  const { step, epoch, lastLook } = progress;
  const stage = stages[Math.min(step, stages.length - 1)];
  const parties = { champion, challenger, alsoShadow: [], testers: { keys: [], headers: [] } };
  const back = champion !== null && (run.state === 'rolled-back' || run.state === 'aborted');
  const served = back ? { ...stage, challengerPct: 0, shadowPct: 0, standby: 'none' as const } : stage;
  const split = epoch === null || served === undefined ? null : routeOfStage(served, parties).split;
  const at = { step: Math.min(step + 1, stages.length), steps: stages.length, stage: stage?.name ?? '' };
  return { ...run, champion, challenger, ...at, epoch, lastLook, split };
}
