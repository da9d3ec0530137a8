export interface CrashLimits {
  /** Ends of a model's process within `deathWindowMs` that take it out of service. */
  deathsMax: number;
  deathWindowMs: number;
  /**
   * How long it then stays so before it is tried once more; twice as long after each try that failed, up to 16 times.
   */
  coolDownMs: number;
}

const doublingsMax = 4;

/**
 * Counts the ends of one model's processes, and says when they are too many. Times are milliseconds of the monotonic
 * clock.
 */
export class CrashBackoff {
  private deaths: number[] = [];
  private trialSince: number | undefined;
  private failedTrials = 0;

  constructor(private readonly limits: CrashLimits) {}

  /** Counts an end. @returns how long the model is to stay out of service, undefined when it may be started again. */
  died(now: number): number | undefined {
    const { deathsMax, deathWindowMs, coolDownMs } = this.limits;
    this.deaths = [...this.deaths.filter((at) => now - at < deathWindowMs), now];
    const trialFailed = this.trialSince !== undefined && now - this.trialSince < deathWindowMs;
    this.trialSince = undefined;
    if (!trialFailed) this.failedTrials = 0;
    if (!trialFailed && this.deaths.length < deathsMax) return undefined;
    const outMs = coolDownMs * 2 ** Math.min(this.failedTrials, doublingsMax);
    this.failedTrials += 1;
    return outMs;
  }

  /** The next start is a try: should it end within the window, the model is out again at once. */
  beginTrial(now: number): void {
    this.deaths = [];
    this.trialSince = now;
  }
}
