/** How long each restart waits, one death after another; the last one again and again. */
const restartDelaysMs = [100, 300, 1_000, 2_000, 5_000, 10_000] as const;
/** A process that worked this long had a life: what ends it is no trouble of the start, and its delays start anew. */
const livedAfterMs = 60_000;

/**
 * How long a restart waits. The delay grows with each restart, those included that worked and were followed by another
 * death, so that a component that comes up and dies again does not spin; it starts anew once a process has lived for a
 * minute. Times are milliseconds of the monotonic clock.
 */
export class RestartBackoff {
  private restarts = 0;
  private workedSince: number | undefined;

  /** The process works. */
  works(now: number): void {
    this.workedSince = now;
  }

  /** The process died, hangs, or did not come up. @returns how long its restart waits, in milliseconds. */
  delayMs(now: number): number {
    if (this.workedSince !== undefined && now - this.workedSince >= livedAfterMs) this.restarts = 0;
    this.workedSince = undefined;
    const delay = restartDelaysMs[Math.min(this.restarts, restartDelaysMs.length - 1)] ?? 10_000;
    this.restarts += 1;
    return delay;
  }
}
