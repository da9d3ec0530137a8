import { AnytimeDifference } from './anytime-difference.js';
import { kolmogorovSmirnovDistance } from './kolmogorov-smirnov-distance.js';
import { sumOf } from './sum-of.js';
import type { ProportionInterval, TailAlphas } from './proportion-interval.js';

/**
 * A confidence sequence for the Kolmogorov-Smirnov distance of two distributions over the same bins, from their counts
 * alone, valid at all looks together.
 *
 * The distance is the largest difference, over the edges between bins, of the shares of values below the edge; each of
 * these has a confidence sequence (`AnytimeDifference`). Upper limit: the largest of the edges' limits. The true
 * distance is taken at one edge, so only that edge's limit must hold, and alpha is not divided (Berger 1982). Lower
 * limit: the largest distance against which the mean of the edges' e-processes has come to 1/alpha. A mean of
 * e-processes is one, however dependent they are (Vovk and Wang 2021).
 * @throws RangeError when the numbers of bins differ or a histogram is empty
 */
export function anytimeDistanceInterval(
  first: readonly number[],
  second: readonly number[],
  alphas: TailAlphas,
): ProportionInterval {
  const estimate = kolmogorovSmirnovDistance(first, second);
  if (Number.isNaN(estimate)) throw new RangeError('an empty histogram has no distance to another');
  const edges = edgesOf(first, second);
  return {
    estimate,
    low: lowerLimit(edges, estimate, -Math.log(alphas.low)),
    high: upperLimit(edges, estimate, alphas.high),
  };
}

interface Edge {
  /** Of the shares below the edge. */
  difference: AnytimeDifference;
  /** How many edges have these counts. */
  weight: number;
}

function edgesOf(first: readonly number[], second: readonly number[]): Edge[] {
  const [count, secondCount] = [sumOf(first), sumOf(second)];
  const edges: Edge[] = [];
  let [below, secondBelow] = [0, 0];
  for (let bin = 0; bin < first.length - 1; bin++) {
    const [more, secondMore] = [first[bin] ?? 0, second[bin] ?? 0];
    const last = edges.at(-1);
    if (last && more === 0 && secondMore === 0) {
      last.weight += 1;
      continue;
    }
    below += more;
    secondBelow += secondMore;
    edges.push({
      difference: new AnytimeDifference({ count, sum: below }, { count: secondCount, sum: secondBelow }),
      weight: 1,
    });
  }
  return edges;
}

/** Most edges need one comparison with the largest limit so far; the few that are above it are solved for. */
function upperLimit(edges: readonly Edge[], estimate: number, alpha: number): number {
  const threshold = -Math.log(alpha);
  let high = estimate;
  const largestFirst = edges.toSorted(
    (one, other) => Math.abs(other.difference.estimate) - Math.abs(one.difference.estimate),
  );
  for (const { difference } of largestFirst) {
    if (high < 1 && !(difference.logEvidenceAgainst(high) >= threshold)) high = difference.upperLimit(alpha);
    if (high < 1 && !(difference.logEvidenceAgainst(-high) >= threshold)) high = -difference.lowerLimit(alpha);
  }
  return high;
}

function lowerLimit(edges: readonly Edge[], estimate: number, threshold: number): number {
  if (!(logMeanEvidence(edges, 0) >= threshold)) return 0;
  let [low, high] = [0, estimate];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (logMeanEvidence(edges, middle) >= threshold) low = middle;
    else high = middle;
  }
  return low;
}

/** Logarithm of the mean e-process against "no edge differs by more than `distance`". */
function logMeanEvidence(edges: readonly Edge[], distance: number): number {
  const weights = edges.reduce((sum, { weight }) => sum + weight, 0);
  const logs = edges.map(({ difference }) =>
    difference.logEvidenceAgainst(Math.min(distance, Math.max(-distance, difference.estimate))),
  );
  const largest = Math.max(...logs);
  return (
    largest +
    Math.log(edges.reduce((sum, { weight }, at) => sum + weight * Math.exp((logs[at] ?? 0) - largest), 0) / weights)
  );
}
