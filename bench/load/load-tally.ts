import { LatencyHistogram } from './latency-histogram.js';
import type { LoadResult } from './load-messages.js';

/** Counts what came of requests. */
export class LoadTally {
  private readonly histogram = new LatencyHistogram();
  private answered = 0;
  private failed = 0;
  private firstFailure: string | undefined;
  private maxMs = 0;

  answer(tookMs: number): void {
    this.answered += 1;
    this.histogram.add(tookMs);
    this.maxMs = Math.max(this.maxMs, tookMs);
  }

  fail(reason: string): void {
    this.failed += 1;
    this.firstFailure ??= reason;
  }

  /** @param seconds that requests were sent for */
  result(seconds: number): LoadResult {
    const { answered, failed, firstFailure, maxMs, histogram } = this;
    return {
      ...{ answered, failed, firstFailure, seconds, maxMs },
      perSecond: answered / seconds,
      p50Ms: histogram.percentileMs(0.5),
      p99Ms: histogram.percentileMs(0.99),
      p999Ms: histogram.percentileMs(0.999),
    };
  }
}
