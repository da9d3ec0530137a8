import { urgencyAfter } from './run-priority.js';
import { leaseNames } from '../ids.js';

/** What an environment may allow at most: beyond it the training of one model is no longer a matter of turns. */
export const trainingsPerModelLimit = 32;

/** A run of a model that waits for its turn. */
export interface WaitingRun {
  runId: string;
  workflowId: string;
  priority: number;
  /** Since when it waits. */
  startedAt: Date;
  /** When it last asked for its turn; null when it has not yet. */
  askedAt: Date | null;
}

export interface HeldSlot {
  name: string;
  holder: string;
  token: number;
}

export type Admission =
  | { kind: 'enters'; slot: string }
  /** `behind`: how many of the model's waiting runs go before it. */
  | { kind: 'waits'; for: string | null; behind: number };

/**
 * A run that has not asked for so long holds up nobody: its workflow makes no progress. Runs that wait ask far more
 * often.
 */
export const silentTooLongMs = 10 * 60_000;

/** Of two runs, the more urgent by now goes first, then the one that has waited longer. */
export function goesBefore(
  one: Pick<WaitingRun, 'runId' | 'priority' | 'startedAt'>,
  other: typeof one,
  now: Date,
): boolean {
  const urgency = ({ priority, startedAt }: typeof one) => urgencyAfter(priority, now.getTime() - startedAt.getTime());
  return (
    (urgency(one) - urgency(other) ||
      one.startedAt.getTime() - other.startedAt.getTime() ||
      (one.runId < other.runId ? -1 : 1)) < 0
  );
}

/** Whether a run may begin now: a slot of its model is free, and no run that waits for one goes before it. */
export function decideAdmission(
  run: WaitingRun,
  {
    others,
    held,
    perModelMax,
    now,
    model,
  }: { others: readonly WaitingRun[]; held: readonly HeldSlot[]; perModelMax: number; now: Date; model: string },
): Admission {
  const before = others.filter(
    (other) =>
      goesBefore(other, run, now) && now.getTime() - (other.askedAt ?? other.startedAt).getTime() < silentTooLongMs,
  );
  const free = Array.from({ length: perModelMax }, (_, index) => leaseNames.training(model, index + 1)).filter(
    (name) => !held.some((one) => one.name === name),
  );
  // Slots of a larger limit of before count as well.
  const open = Math.min(free.length, perModelMax - held.length);
  const slot = free[0];
  if (slot !== undefined && before.length < open) return { kind: 'enters', slot };
  return { kind: 'waits', for: before[0]?.workflowId ?? null, behind: before.length };
}
