import type { Environment } from '../../domain/names.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import type { DecisionsSoFar } from './recorded-decisions.js';
import type { TimelineLines } from '../timeline.js';

export interface PromotionResult {
  promotionId: string;
  state: PromotionState;
  reason: string;
}

/** How a promotion ends. */
export type PromotionEnd = Pick<PromotionResult, 'state' | 'reason'>;

/** What was asked for, as it was parsed. */
export interface RequestedPromotion {
  model: string;
  version: number;
  environment: Environment;
  requestedBy: string;
  alsoShadow: number[];
  /** Whether it goes no further than this environment. Absent in promotions that began before it was known. */
  stays?: boolean;
}

/** What does not change while a promotion goes on, but for its policy. */
export interface PromotionTerms {
  asked: RequestedPromotion;
  /** Until evidence is shown, the policy that was in force when it was asked for; then what the evidence shows. */
  policy: PromotionPolicy;
  /** When it was asked for, and when it expires: new evidence moves neither. */
  startedMs: number;
  deadlineMs: number;
}

/** Where a promotion is. */
export interface PromotionProgress {
  state: PromotionState;
  /** What those who decide were shown; null while evidence is gathered. */
  shown: { champion: number | null; notBefore?: string | undefined } | null;
  /** When the next reminder is due; null before the wait for decisions. */
  remindAtMs: number | null;
  toldToGiveWay: boolean;
  /** The newer version that takes its place unless it is approved. */
  newer: number | null;
  /** The rollout that carries it out, once it has begun. */
  rolloutId: string | null;
  /** Whether somebody cancelled it while it rolled out. */
  cancelled: boolean;
}

/** Evidence is gathered, for the first time or again. */
export const undecided = {
  state: 'gathering-evidence',
  shown: null,
  remindAtMs: null,
  newer: null,
  rolloutId: null,
} as const;

/** What a promotion that continues as new goes on with. */
export interface CarriedPromotion {
  terms: PromotionTerms;
  progress: PromotionProgress;
  /** What the promotion's decisions were; under this name in inputs of runs that go on. */
  book: DecisionsSoFar;
  timeline: TimelineLines;
}
