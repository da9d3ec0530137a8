import { judgeStage, type StageInput, type StageJudgement } from './judge/judge.js';
import { alphaOfStage } from './rollout-plan.js';
import type { JudgedPolicy } from './rollout-policy.js';
import type { RolloutStage } from './judge/rollout-stage.js';
import { stagesOf } from './strategy-stages.js';
import { inconclusiveEnd, moveAfterLook, type RolloutMove } from './move-after-look.js';
import type { Verdict } from '../verdict.js';

/** What a look stores: all that its judgement depended on, and where the rollout was. */
export interface StoredLook extends StageInput {
  stageIndex: number;
  elapsedSeconds: number;
}

export interface ReplayedLook {
  /** Place among the stored looks, from 0. */
  look: number;
  stageIndex: number;
  before: Decision;
  after: Decision;
}

export interface Decision {
  verdict: Verdict;
  move: RolloutMove;
}

/**
 * How a rollout ends, as far as its looks tell. `open`: they end, or another stage begins, before this policy has
 * decided.
 */
export type ReplayEnd =
  { kind: 'completed' } | { kind: 'open' | 'rolled-back' | 'paused'; look: number; stageIndex: number };

export interface RolloutReplay {
  /** The first look that is decided differently; null when none is. */
  turnsAt: ReplayedLook | null;
  before: ReplayEnd;
  after: ReplayEnd;
  /** Whether the rollout turns out differently: it ends elsewhere. */
  differs: boolean;
  /** One sentence. */
  summary: string;
}

export interface ReplayInput {
  /** In their order. */
  looks: readonly StoredLook[];
  /** As the rollout was settled. */
  settled: { policy: JudgedPolicy; stages: readonly RolloutStage[] };
  /** Decides again; null for the settled policy itself, which shows what another program version would say. */
  policy: JudgedPolicy | null;
  /** What was said at each look; null to compute that from the settled policy. */
  recorded: readonly Verdict[] | null;
}

/**
 * Decides a past rollout again from the inputs of its looks. Another policy judges with its own metrics, margins and
 * alpha, and with the bounds of its own stage of the same number where the traffic was the same; what was not counted
 * at the time stays `no-data`. A person's moves are kept as they were: where the record goes to another stage although
 * neither policy said so, both follow.
 */
export function replayRollout({ looks, settled, policy, recorded }: ReplayInput): RolloutReplay {
  const old = { policy: settled.policy, stages: settled.stages };
  const other = policy === null ? old : { policy, stages: stagesUnder(policy, settled.stages) };
  const decided = looks.map((look, at): ReplayedLook => {
    const recomputed = judgeStage(look);
    const verdict = recorded?.[at] ?? recomputed.verdict;
    const now = policy === null ? recomputed : judgeStage(underPolicy(look, other));
    return {
      ...{ look: at, stageIndex: look.stageIndex },
      before: { verdict, move: moveOf(old, look, { ...recomputed, verdict }) },
      after: { verdict: now.verdict, move: moveOf(other, look, now) },
    };
  });
  const turnsAt = decided.find(({ before, after }) => before.move !== after.move) ?? null;
  const last = settled.stages.findLastIndex(({ comparison }) => comparison !== 'none');
  const before = endOf(decided, last, 'before');
  const after = turnsAt === null ? before : endOf(decided, last, 'after');
  const differs =
    before.kind !== after.kind ||
    (before.kind !== 'completed' && after.kind !== 'completed' && before.stageIndex !== after.stageIndex);
  return { turnsAt, before, after, differs, summary: summaryOf(before, after, differs, turnsAt, settled.stages) };
}

interface Plan {
  policy: JudgedPolicy;
  stages: readonly RolloutStage[];
}

/**
 * The other policy's bounds where its stage of the same number had the same traffic, else those of the stage as it was.
 */
function stagesUnder(policy: JudgedPolicy, settled: readonly RolloutStage[]): RolloutStage[] {
  const own = stagesOf(policy, { hasChampion: true });
  const alike = (one: RolloutStage, other: RolloutStage | undefined) =>
    one.kind === other?.kind && one.challengerPct === other.challengerPct && one.shadowPct === other.shadowPct;
  return settled.map((stage, at) => (alike(stage, own[at]) ? { ...stage, ...boundsOf(own[at] ?? stage) } : stage));
}

const boundsOf = ({ minRequests, minSeconds, maxSeconds }: RolloutStage) => ({ minRequests, minSeconds, maxSeconds });

function underPolicy(look: StoredLook, { policy, stages }: Plan): StageInput {
  const { minRequests } = stages[look.stageIndex] ?? look.stage;
  const isTest = look.stage.decides === 'better' && policy.strategy === 'ab';
  return {
    ...look,
    policy: policy.judge,
    alpha: alphaOfStage(policy, stages),
    stage: { ...look.stage, minRequests },
    outcome: isTest ? policy.outcome : look.outcome,
    horizon: isTest ? policy.horizon : look.horizon,
  };
}

function moveOf(
  { policy, stages }: Plan,
  look: StoredLook,
  { verdict, atHorizon }: Pick<StageJudgement, 'verdict' | 'atHorizon'>,
): RolloutMove {
  const stage = stages[look.stageIndex];
  if (!stage) return 'look-again';
  return moveAfterLook(inconclusiveEnd(policy, stage), stage, {
    verdict,
    elapsedSeconds: look.elapsedSeconds,
    exhausted: atHorizon,
  });
}

/** Walks the record until the policy ends it. Looks of a stage that it has already left are passed over. */
function endOf(decided: readonly ReplayedLook[], lastStage: number, side: 'before' | 'after'): ReplayEnd {
  let stageIndex = decided[0]?.stageIndex ?? 0;
  let open: ReplayEnd = { kind: 'open', look: 0, stageIndex };
  for (const [at, each] of decided.entries()) {
    if (each.stageIndex < stageIndex) continue;
    if (each.stageIndex > stageIndex) {
      // The record went on: by a person, if the settled policy had not said so either.
      if (side === 'after' && decided[at - 1]?.before.move === 'next-step') return open;
      stageIndex = each.stageIndex;
    }
    open = { kind: 'open', look: each.look, stageIndex };
    const { move } = each[side];
    if (move === 'roll-back') return { ...open, kind: 'rolled-back' };
    if (move === 'next-step') {
      if (stageIndex >= lastStage) return { kind: 'completed' };
      stageIndex += 1;
    }
    // A pause that a person ended goes on; one that the record does not know of asks somebody who was never asked.
    const resumed = each.before.move === 'pause' && at < decided.length - 1;
    if (move === 'pause' && !resumed) return { ...open, kind: 'paused' };
  }
  return open;
}

function summaryOf(
  before: ReplayEnd,
  after: ReplayEnd,
  differs: boolean,
  turnsAt: ReplayedLook | null,
  stages: readonly RolloutStage[],
): string {
  if (turnsAt === null) return `Same result: ${endInWords(before, stages)}.`;
  const turn =
    `at look ${turnsAt.look + 1} ${turnsAt.after.verdict} and ${turnsAt.after.move}, not ` +
    `${turnsAt.before.verdict} and ${turnsAt.before.move}`;
  return differs
    ? `Turns out differently: ${endInWords(after, stages)}, where it was ${endInWords(before, stages)}; first ${turn}.`
    : `Ends the same, ${endInWords(after, stages)}, though ${turn}.`;
}

function endInWords(end: ReplayEnd, stages: readonly RolloutStage[]): string {
  if (end.kind === 'completed') return 'completed';
  const state = end.kind === 'open' ? 'still undecided when the looks end' : end.kind;
  return `${state} at look ${end.look + 1} in stage "${stages[end.stageIndex]?.name ?? end.stageIndex}"`;
}
