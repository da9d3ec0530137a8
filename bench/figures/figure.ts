import type { Spread } from './statistics.js';

/** One result of a bench, as `--json` prints it: one object a line. */
export interface Figure {
  name: string;
  title: string;
  unit: string;
  /** Of the measured over the reference, a pair a round; absent for what has no reference. */
  ratio?: Spread;
  /** The same for the 99th percentile of latency. */
  p99Ratio?: Spread;
  measured: Record<string, Spread | number>;
  reference?: Record<string, Spread | number>;
  /** Requests without an answer of 200, over all rounds. */
  failed: number;
  firstFailure?: string | undefined;
  rounds: number;
  /** What issue and documentation ask for, and whether the median of this run has it. */
  wanted: Want[];
  /** Microseconds of processor time a request, by program. */
  cpuUs?: { measured: Record<string, number>; reference?: Record<string, number> };
  /**
   * Runnable processes over the last minute when the scenario ended: above the number of cores, others were at work as
   * well.
   */
  loadAverage: number;
}

export interface Want {
  what: string;
  met: boolean;
}

export const atLeast = (what: string, value: number, bound: number): Want => ({
  what: `${what} at least ${bound}`,
  met: value >= bound,
});
export const atMost = (what: string, value: number, bound: number): Want => ({
  what: `${what} at most ${bound}`,
  met: value <= bound,
});
