/**
 * Counts latencies in bins of 10 µs up to 4 s, so that a percentile is exact to one bin however many requests there
 * were.
 */
export class LatencyHistogram {
  private readonly bins = new Uint32Array(binCount);
  count = 0;

  add(latencyMs: number): void {
    const bin = Math.floor(latencyMs / binMs);
    const at = bin < binCount ? (bin < 0 ? 0 : bin) : binCount - 1;
    this.bins[at] = (this.bins[at] ?? 0) + 1;
    this.count += 1;
  }

  /**
   * The latency in milliseconds that `share` (0 … 1) of the requests did not exceed, rounded up to its bin's end; NaN
   * without any request.
   */
  percentileMs(share: number): number {
    if (this.count === 0) return NaN;
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bin = 0; bin < binCount; bin += 1) {
      seen += this.bins[bin] ?? 0;
      if (seen >= wanted) return (bin + 1) * binMs;
    }
    return binCount * binMs;
  }
}

const binMs = 0.01;
const binCount = 400_000;
