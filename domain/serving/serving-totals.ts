import { latencyBoundsMs, scoreBins, scoreOfBin, type ServingWindow } from './serving-window.js';

/** What one version did over several windows and gateways. */
export interface ServingTotals {
  /** Valid requests, those without an answer among them. */
  requests: number;
  /** Errors of the version itself: `serving/inference/counts-as-version-error.ts` says which count. */
  errors: number;
  /** Counts per latency bucket, one more than `latencyBoundsMs`. */
  latency: number[];
  /** Rows answered, counted in the bins of `serving-window.ts`. */
  scores: number[];
}

/** The sum of windows; a window id that comes twice counts once. */
export function addWindows(
  windows: readonly Pick<ServingWindow, 'id' | 'requests' | 'errors' | 'latency' | 'scores'>[],
): ServingTotals {
  const totals: ServingTotals = {
    requests: 0,
    errors: 0,
    latency: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    scores: new Array<number>(scoreBins).fill(0),
  };
  for (const window of new Map(windows.map((each) => [each.id, each])).values()) {
    totals.requests += window.requests;
    totals.errors += window.errors;
    totals.latency = totals.latency.map((count, bucket) => count + (window.latency[bucket] ?? 0));
    totals.scores = addCounts(totals.scores, window.scores);
  }
  return totals;
}

/** Nothing may have fewer bins than something. */
const addCounts = (counts: readonly number[], more: readonly number[]): number[] =>
  Array.from({ length: Math.max(counts.length, more.length) }, (_, bin) => (counts[bin] ?? 0) + (more[bin] ?? 0));

/**
 * The histogram bound at or above a limit, in milliseconds; the last bound for a limit beyond it, because nothing
 * slower is told apart.
 */
export function slowBoundMs(limitMs: number): number {
  return latencyBoundsMs.find((bound) => bound >= limitMs) ?? latencyBoundsMs[latencyBoundsMs.length - 1] ?? limitMs;
}

/** How many answers took longer than the bound that `slowBoundMs` gives for the limit, of how many. */
export function slowAnswers(latency: readonly number[], limitMs: number): { slow: number; answers: number } {
  const firstSlow = latencyBoundsMs.findIndex((bound) => bound === slowBoundMs(limitMs)) + 1;
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return { slow: sum(latency.slice(firstSlow)), answers: sum(latency) };
}

/**
 * A latency quantile in milliseconds, for showing, not for judging: linear inside the bucket. In the last bucket its
 * lower bound, to be read as "at least".
 * @param probability 0.95 for the 95th percentile
 * @returns null without answers
 */
export function latencyQuantileMs(latency: readonly number[], probability: number): number | null {
  const all = latency.reduce((total, count) => total + count, 0);
  if (all === 0) return null;
  let before = 0;
  for (const [bucket, count] of latency.entries()) {
    if (count > 0 && before + count >= probability * all) {
      const from = bucket === 0 ? 0 : (latencyBoundsMs[bucket - 1] ?? 0);
      const to = latencyBoundsMs[bucket] ?? from;
      return from + ((probability * all - before) / count) * (to - from);
    }
    before += count;
  }
  return null;
}

export function meanScore(scores: readonly number[]): number | null {
  const all = scores.reduce((total, count) => total + count, 0);
  return all === 0 ? null : scores.reduce((sum, count, bin) => sum + count * scoreOfBin(bin, scores.length), 0) / all;
}
