import { anytimeDifferenceInterval, logEvidenceAgainst, type Sample } from './anytime-difference.js';
import { histogramDistance } from './histogram-distance.js';
import type { ProportionInterval, TailAlphas } from './proportion-interval.js';

/**
 * A confidence sequence for the Kolmogorov-Smirnov distance of two distributions over the same bins, from their counts alone, valid at all looks together.
 *
 * The distance is the largest difference, over the edges between bins, of the shares of values below the edge; each of these has a confidence sequence (`anytimeDifferenceInterval`).
 * Upper limit: the largest of the edges' limits. The true distance is taken at one edge, so only that edge's limit must hold, and alpha is not divided (Berger 1982).
 * Lower limit: the largest distance against which the mean of the edges' e-processes has come to 1/alpha. A mean of e-processes is one (Vovk and Wang 2021), however dependent they are.
 * @throws RangeError when the numbers of bins differ or a histogram is empty
 */
export function anytimeDistanceInterval(first: readonly number[], second: readonly number[], alphas: TailAlphas): ProportionInterval {
  const estimate = histogramDistance(first, second);
  if (Number.isNaN(estimate)) throw new RangeError('an empty histogram has no distance to another');
  const edges = edgesOf(first, second);
  return { estimate, low: lowerLimit(edges, estimate, -Math.log(alphas.low)), high: upperLimit(edges, estimate, alphas.high) };
}

interface Edge {
  first: Sample;
  second: Sample;
  difference: number;
}

/** Below each edge between two bins: how many of either group. Edges with the same counts are one. */
function edgesOf(first: readonly number[], second: readonly number[]): (Edge & { weight: number })[] {
  const counts = [first, second].map((bins) => bins.reduce((sum, bin) => sum + bin, 0));
  const [count = 0, secondCount = 0] = counts;
  const edges: (Edge & { weight: number })[] = [];
  const below = { first: 0, second: 0 };
  for (let bin = 0; bin < first.length - 1; bin++) {
    const [more, secondMore] = [first[bin] ?? 0, second[bin] ?? 0];
    const last = edges.at(-1);
    if (last && more === 0 && secondMore === 0) last.weight += 1;
    else {
      below.first += more;
      below.second += secondMore;
      edges.push({
        first: { count, sum: below.first },
        second: { count: secondCount, sum: below.second },
        difference: below.first / count - below.second / secondCount,
        weight: 1,
      });
    }
  }
  return edges;
}

function upperLimit(edges: readonly Edge[], estimate: number, alpha: number): number {
  let high = estimate;
  const threshold = -Math.log(alpha);
  for (const { first, second } of edges) {
    if (high < 1 && !(logEvidenceAgainst(high, first, second) >= threshold))
      high = anytimeDifferenceInterval(first, second, { low: alpha, high: alpha }).high;
    if (high < 1 && !(logEvidenceAgainst(high, second, first) >= threshold))
      high = anytimeDifferenceInterval(second, first, { low: alpha, high: alpha }).high;
  }
  return Math.min(1, high);
}

function lowerLimit(edges: readonly (Edge & { weight: number })[], estimate: number, threshold: number): number {
  if (!(meanLogEvidence(edges, 0) >= threshold)) return 0;
  let [low, high] = [0, estimate];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (meanLogEvidence(edges, middle) >= threshold) low = middle;
    else high = middle;
  }
  return low;
}

/** Logarithm of the mean e-process against "no edge differs by more than `distance`". */
function meanLogEvidence(edges: readonly (Edge & { weight: number })[], distance: number): number {
  const weights = edges.reduce((sum, { weight }) => sum + weight, 0);
  const logs = edges.map(({ first, second, difference }) =>
    logEvidenceAgainst(Math.min(distance, Math.max(-distance, difference)), first, second),
  );
  const largest = Math.max(...logs);
  return largest + Math.log(edges.reduce((sum, { weight }, at) => sum + weight * Math.exp((logs[at] ?? 0) - largest), 0) / weights);
}
