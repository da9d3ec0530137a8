import type { Environment } from '../domain/names.js';
import { latencyBoundsMs, scoreBins, type ServingWindow } from '../domain/serving-window.js';

interface Counts {
  model: string;
  version: number;
  epoch: number;
  requests: number;
  errors: number;
  latency: number[];
  scores: number[];
}

/**
 * Counts what was served and hands it over exactly once: windows keep their ids until they are taken, and while nobody takes them the present ones simply grow,
 * so that what waits is bounded by the number of versions and epochs.
 */
export class ServingWindowCounter {
  private counts = new Map<string, Counts>();
  private from = new Date();
  private pending: ServingWindow[] = [];
  private number = 0;
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly gateway: { gatewayId: string; bootId: string; environment: Environment }) {}

  answered(model: string, version: number, epoch: number, latencyMs: number, scores: Iterable<number>): void {
    const counts = this.countsOf(model, version, epoch);
    counts.requests += 1;
    increment(counts.latency, latencyBucket(latencyMs));
    for (const score of scores) increment(counts.scores, Math.min(scoreBins - 1, Math.max(0, Math.floor(score * scoreBins))));
  }

  /** A valid request that got no answer; the latencies are those of answers only. */
  failed(model: string, version: number, epoch: number): void {
    const counts = this.countsOf(model, version, epoch);
    counts.requests += 1;
    counts.errors += 1;
  }

  get pendingCount(): number {
    return this.pending.length;
  }

  /** Hands what was counted to `insert`; after a failure the same windows are offered again next time. @throws what `insert` throws. */
  flush(insert: (windows: readonly ServingWindow[]) => Promise<void>): Promise<void> {
    const flushed = this.flushing.then(() => this.handOver(insert));
    this.flushing = flushed.catch(() => undefined);
    return flushed;
  }

  private async handOver(insert: (windows: readonly ServingWindow[]) => Promise<void>): Promise<void> {
    if (this.pending.length > 0) {
      await insert(this.pending);
      this.pending = [];
    }
    this.cut();
    if (this.pending.length === 0) return;
    await insert(this.pending);
    this.pending = [];
  }

  private cut(): void {
    const { gatewayId, bootId, environment } = this.gateway;
    const to = new Date();
    this.pending = [...this.counts.values()].map((counts) => {
      this.number += 1;
      return {
        id: `${gatewayId}/${bootId}/${this.number}`,
        gatewayId,
        environment,
        ...counts,
        role: 'split' as const,
        cold: false,
        from: this.from.toISOString(),
        to: to.toISOString(),
      };
    });
    this.counts = new Map();
    this.from = to;
  }

  private countsOf(model: string, version: number, epoch: number): Counts {
    const key = `${model}@${version}/${epoch}`;
    let counts = this.counts.get(key);
    if (counts === undefined) {
      const zeros = (length: number) => new Array<number>(length).fill(0);
      counts = { model, version, epoch, requests: 0, errors: 0, latency: zeros(latencyBoundsMs.length + 1), scores: zeros(scoreBins) };
      this.counts.set(key, counts);
    }
    return counts;
  }
}

function latencyBucket(latencyMs: number): number {
  const bucket = latencyBoundsMs.findIndex((bound) => latencyMs <= bound);
  return bucket === -1 ? latencyBoundsMs.length : bucket;
}

function increment(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
