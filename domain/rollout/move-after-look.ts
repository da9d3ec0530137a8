import { growingPauseMs } from '../growing-pause.js';
import type { JudgedPolicy, RolloutPolicy } from './rollout-policy.js';
import type { RolloutStage } from './judge/rollout-stage.js';
import type { Verdict } from '../verdict.js';

export type RolloutState = 'running' | 'paused' | 'completed' | 'rolled-back' | 'aborted' | 'failed';

/** What comes after a look. `next-step`, the next stage, is on the wire since 0.1. */
export type RolloutMove = 'next-step' | 'look-again' | 'pause' | 'roll-back';

/** What a stage that ends inconclusive does: ask a person, go on watching, go back, or go on. */
export type InconclusiveEnd = JudgedPolicy['onInconclusive'] | 'advance';

export interface StageStanding {
  verdict: Verdict;
  /** Seconds that the stage has run, pauses left out. */
  elapsedSeconds: number;
  /** Whether the stage has seen all that it was to see, however long it took: the horizon of an A/B test. */
  exhausted?: boolean;
}

/** The next move of a rollout: a pass counts only once the stage has lasted its least time; no data never advances. */
export function moveAfterLook(
  onInconclusive: InconclusiveEnd,
  stage: Pick<RolloutStage, 'minSeconds' | 'maxSeconds'>,
  { verdict, elapsedSeconds, exhausted = false }: StageStanding,
): RolloutMove {
  switch (verdict) {
    case 'fail':
      return 'roll-back';
    case 'pass':
      return elapsedSeconds >= stage.minSeconds ? 'next-step' : 'look-again';
    case 'no-data':
      return elapsedSeconds >= stage.maxSeconds ? 'pause' : 'look-again';
    case 'inconclusive':
      if ((elapsedSeconds < stage.maxSeconds && !exhausted) || onInconclusive === 'extend') return 'look-again';
      return { pause: 'pause', rollback: 'roll-back', advance: 'next-step' }[onInconclusive] as RolloutMove;
    default:
      return verdict satisfies never;
  }
}

/** What a policy says of a stage that ends inconclusive. An A/B test without a winner has its own rule. */
export function inconclusiveEnd(policy: RolloutPolicy, stage: Pick<RolloutStage, 'kind'>): InconclusiveEnd {
  if (policy.strategy === 'direct') return 'pause';
  if (policy.strategy !== 'ab' || stage.kind !== 'ab') return policy.onInconclusive;
  const ends = { champion: 'rollback', challenger: 'advance', pause: 'pause' } as const;
  return ends[policy.onNoWinner];
}

/**
 * Seconds from one look to the next: a stage that has gone on for long is looked at less often, so that its history
 * stays short. The judge would not mind more.
 */
export function lookAfterSeconds(policy: Pick<RolloutPolicy, 'lookEverySeconds'>, elapsedSeconds: number): number {
  return growingPauseMs(elapsedSeconds * 1000, { leastMs: policy.lookEverySeconds * 1000 }) / 1000;
}
