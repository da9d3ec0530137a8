import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ApprovalRequirement } from '../domain/promotion/approval-slots.js';
import type { CountedDecision, Decision, PromotionState, SignalDecision } from '../domain/promotion/promotion.js';
import type { SteeringCommand, Steering } from '../domain/workflow-inputs.js';
import type { RolloutState } from '../domain/rollout/move-after-look.js';
import type { Split } from '../domain/serving/route.js';

/** Everything that may be said to a running workflow, by its wire name. */

export interface DecisionAnswer {
  counted: boolean;
  reason: string;
}

export const decidePromotionUpdate = defineUpdate<DecisionAnswer, [Decision]>('decidePromotion');
export const approveSignal = defineSignal<[SignalDecision]>('approve');
export const rejectSignal = defineSignal<[SignalDecision]>('reject');
export const withdrawSignal = defineSignal<[SignalDecision]>('withdraw');

/** To a promotion that waits: look whether a newer candidate has been asked for. */
export const giveWaySignal = defineSignal('giveWay');

export interface PromotionStatus {
  promotionId: string;
  state: PromotionState;
  evidenceSha256: string | null;
  /** When others were asked too, because nobody decided; null until then. */
  escalatedAt: string | null;
  /** Whose approvals are still needed. */
  stillNeeded: ApprovalRequirement[];
  decisions: (CountedDecision & { reason: string })[];
}
export const promotionStatusQuery = defineQuery<PromotionStatus>('promotionStatus');

export interface SteeringAnswer {
  accepted: boolean;
  reason: string;
}

export const steerRolloutUpdate = defineUpdate<SteeringAnswer, [{ command: SteeringCommand } & Partial<Steering>]>(
  'steerRollout',
);
export const pauseSignal = defineSignal<[Partial<Steering>?]>('pause');
export const resumeSignal = defineSignal<[Partial<Steering>?]>('resume');
export const advanceSignal = defineSignal<[Partial<Steering>?]>('advance');
export const abortSignal = defineSignal<[Partial<Steering>?]>('abort');

export interface RolloutStatus {
  rolloutId: string;
  state: RolloutState;
  champion: number | null;
  challenger: number;
  step: number;
  steps: number;
  /** The stage's name, for example `canary of 25 %`. */
  stage: string;
  split: Split | null;
  epoch: number | null;
  /** What the judge said last, in one line. */
  lastLook: string | null;
  reason: string | null;
}
export const rolloutStatusQuery = defineQuery<RolloutStatus | null>('rolloutStatus');
