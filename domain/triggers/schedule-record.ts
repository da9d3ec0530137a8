/** A run that a schedule began. */
export interface ScheduledRun {
  runId: string;
  /** The time of the firing. */
  scheduledFor: Date;
  /** When it was written down as begun, by a worker. */
  startedAt: Date;
  finishedAt: Date | null;
}

/** A run that began so much later than its firing began late. Temporal fires within a second or two. */
export const lateAfterSeconds = 60;

/** A firing that began nothing, because the run of an earlier one was still going. */
export interface OverlappedFiring {
  scheduledFor: Date;
  /** The run that was still going. */
  runId: string;
}

/**
 * The latest firing that found an earlier run of its schedule still going; undefined where none of these runs went on
 * for so long.
 * @param runs the newest first
 * @param firingAfter the schedule's next firing after a time
 */
export function latestOverlap(
  runs: readonly ScheduledRun[],
  firingAfter: (time: Date) => Date | undefined,
  now: Date,
): OverlappedFiring | undefined {
  for (const { runId, scheduledFor, startedAt, finishedAt } of runs) {
    const end = finishedAt ?? now;
    // What fired before it began late was missed, or is what it caught up with.
    let firing = firingAfter(startedAt > scheduledFor ? startedAt : scheduledFor);
    let found: Date | undefined;
    for (let looked = 0; firing !== undefined && firing < end && looked < firingsMax; looked += 1) {
      found = firing;
      firing = firingAfter(firing);
    }
    if (found) return { scheduledFor: found, runId };
  }
  return undefined;
}

/**
 * A run of a week under a schedule of every minute overlaps ten thousand firings: the exact last one matters little.
 */
const firingsMax = 1_000;
