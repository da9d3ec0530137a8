import type { Environment } from '../../domain/names.js';
import {
  binsOf,
  latencyBoundsMs,
  scoreBin,
  type ServingRole,
  type ServingWindow,
} from '../../domain/serving/serving-window.js';
import type { ComparedNumber } from '../../domain/tasks/task.js';
import type { Answer } from '../protocol/answer-shape.js';

/** What is counted together: one version under one epoch in one role. */
interface TallySubject {
  model: string;
  version: number;
  epoch: number;
  role: ServingRole;
}

interface Counts extends TallySubject {
  cold: boolean;
  requests: number;
  errors: number;
  latency: number[];
  scores: number[];
}

/**
 * Until when a model's caches count as cold, in milliseconds of the monotonic clock. Shared by all tallies of the
 * model.
 */
interface Warmth {
  coldUntil: number;
}

/**
 * Counts what was served and hands it over exactly once: windows keep their ids until they are taken, and while nobody
 * takes them the present ones simply grow, so that what waits is bounded by the number of versions, epochs and roles.
 */
export class ServingWindowCounter {
  private counts: Counts[] = [];
  private from = new Date();
  private pending: ServingWindow[] = [];
  private number = 0;
  private flushing: Promise<void> = Promise.resolve();
  private readonly warmth = new Map<string, Warmth>();
  /** Rises with every cut: what a tally counted before belongs to an earlier window. */
  private cuts = 0;

  constructor(private readonly gateway: { gatewayId: string; bootId: string; environment: Environment }) {}

  /**
   * A place to count in, made once per route and version: counting then looks nothing up.
   * @param compared the number of a row by which its task compares versions
   */
  tally(subject: TallySubject, compared: ComparedNumber): ServingTally {
    return new ServingTally(
      subject,
      compared,
      this.warmthOf(subject.model),
      () => this.cuts,
      (counts) => this.counts.push(counts),
    );
  }

  /**
   * Requests of this model that arrive before `until`, in milliseconds of the monotonic clock, count as cold, whichever
   * version answers.
   */
  markCold(model: string, until: number): void {
    const warmth = this.warmthOf(model);
    warmth.coldUntil = Math.max(warmth.coldUntil, until);
  }

  get pendingCount(): number {
    return this.pending.length;
  }

  /**
   * Hands what was counted to `insert`; after a failure the same windows are offered again next time.
   * @throws what `insert` throws.
   */
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
    this.pending = this.counts.map((counts) => {
      this.number += 1;
      const id = `${gatewayId}/${bootId}/${this.number}`;
      return { id, gatewayId, environment, ...counts, from: this.from.toISOString(), to: to.toISOString() };
    });
    this.counts = [];
    this.cuts += 1;
    this.from = to;
  }

  private warmthOf(model: string): Warmth {
    let warmth = this.warmth.get(model);
    if (warmth === undefined) {
      warmth = { coldUntil: -Infinity };
      this.warmth.set(model, warmth);
    }
    return warmth;
  }
}

/** Counts for one version in one role. */
export class ServingTally {
  private cut = -1;
  private cold: Counts | undefined;
  private warm: Counts | undefined;

  constructor(
    private readonly subject: TallySubject,
    private readonly compared: ComparedNumber,
    private readonly warmth: Warmth,
    private readonly currentCut: () => number,
    private readonly opened: (counts: Counts) => void,
  ) {}

  /** @param startedAt milliseconds of the monotonic clock at which the request was there */
  answered(startedAt: number, latencyMs: number, answer: Answer): void {
    const counts = this.at(startedAt);
    counts.requests += 1;
    increment(counts.latency, latencyBucket(latencyMs));
    const { bins, of } = this.compared;
    for (let row = 0; row < answer.rows; row += 1) {
      const bin = scoreBin(bins, of(answer, row));
      // A score that is no number falls in no bin.
      if (bin >= 0) increment(counts.scores, bin);
    }
  }

  /** A valid request that got no answer; the latencies are those of answers only. */
  failed(startedAt: number): void {
    const counts = this.at(startedAt);
    counts.requests += 1;
    counts.errors += 1;
  }

  private at(startedAt: number): Counts {
    const cut = this.currentCut();
    if (this.cut !== cut) {
      this.cut = cut;
      this.cold = undefined;
      this.warm = undefined;
    }
    return startedAt < this.warmth.coldUntil ? (this.cold ??= this.open(true)) : (this.warm ??= this.open(false));
  }

  private open(cold: boolean): Counts {
    const zeros = (length: number) => new Array<number>(length).fill(0);
    const counts = {
      ...this.subject,
      cold,
      requests: 0,
      errors: 0,
      latency: zeros(latencyBoundsMs.length + 1),
      scores: zeros(binsOf(this.compared.bins)),
    };
    this.opened(counts);
    return counts;
  }
}

function latencyBucket(latencyMs: number): number {
  for (let bucket = 0; bucket < latencyBoundsMs.length; bucket += 1)
    if (latencyMs <= (latencyBoundsMs[bucket] ?? 0)) return bucket;
  return latencyBoundsMs.length;
}

function increment(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
