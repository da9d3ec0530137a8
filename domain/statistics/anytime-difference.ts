import { logBeta } from './log-gamma.js';
import type { ProportionInterval, TailAlphas } from './proportion-interval.js';

/** How many values of [0, 1] were seen in one group, and their sum. */
export interface Sample {
  count: number;
  sum: number;
}

/**
 * A confidence sequence for the difference of two means, first minus second, of values in [0, 1]: whoever looks again and again, and stops when it pleases,
 * is wrong at either limit with at most the chance of its alpha over all looks together. It depends on counts and sums alone.
 *
 * Each group's likelihood is mixed over a prior of its mean (Robbins 1970; the two-sided beta-binomial mixture of Howard, Ramdas, McAuliffe and Sekhon 2021). The ratio of both
 * mixtures to the likelihood at the true pair of means is a nonnegative supermartingale that starts at 1, for Bernoulli values and, by convexity, for any values in [0, 1]; by Ville's
 * inequality it ever reaches 1/alpha with a chance of at most alpha. The pairs of means where it has not are a region; the interval is what the region covers of the difference.
 *
 * Assumed: given the past, a value of a group has always the same mean. Values may come in any order and any mix of the groups.
 * @throws RangeError without values in either group or with a sum outside of [0, count]
 */
export function anytimeDifferenceInterval(first: Sample, second: Sample, alphas: TailAlphas): ProportionInterval {
  checkSample(first);
  checkSample(second);
  const evidence = logMixture(first) + logMixture(second);
  return {
    estimate: first.sum / first.count - second.sum / second.count,
    low: -upperLimit(second, first, evidence + Math.log(alphas.low)),
    high: upperLimit(first, second, evidence + Math.log(alphas.high)),
  };
}

/**
 * Logarithm of the e-process against all pairs of means with this difference, first minus second: the least that the mixture's ratio takes on them.
 * Where it reaches log(1/alpha), the difference is outside of the confidence sequence.
 */
export function logEvidenceAgainst(difference: number, first: Sample, second: Sample): number {
  return logMixture(first) + logMixture(second) - profile(first, second, difference).logLikelihood;
}

/**
 * The prior of a group's mean: an even mixture of Jeffreys' and one for rare events, which makes shares of errors near 0 cheap to bound.
 * `npm run bench:judge` is where it was chosen.
 */
const prior = [
  { a: 0.5, b: 0.5 },
  { a: 0.5, b: 10 },
] as const;

/** Logarithm of the group's likelihood, averaged over the prior. */
function logMixture({ count, sum }: Sample): number {
  const parts = prior.map(({ a, b }) => logBeta(a + sum, b + count - sum) - logBeta(a, b));
  const largest = Math.max(...parts);
  return largest + Math.log(parts.reduce((total, part) => total + Math.exp(part - largest), 0) / parts.length);
}

/**
 * The largest difference whose likelihood, at its best pair of means, is above the floor. That likelihood is concave in the difference, so Newton's steps from outside
 * come closer and never cross: what is returned lies at the limit or, by rounding, beyond it.
 */
function upperLimit(first: Sample, second: Sample, logFloor: number): number {
  if (profile(first, second, 1).logLikelihood > logFloor) return 1;
  const shares = [first.sum / first.count, second.sum / second.count] as const;
  let inside = shares[0] - shares[1];
  let outside = 1;
  let next = inside + firstGuess(first, second, profile(first, second, inside).logLikelihood - logFloor);
  for (let step = 0; step < 100 && outside - inside > 1e-12; step++) {
    if (!(next > inside && next < outside)) next = (inside + outside) / 2;
    const { logLikelihood, slope } = profile(first, second, next);
    if (logLikelihood > logFloor) {
      inside = next;
      next = Math.min((inside + outside) / 2, inside + 2 * (inside - shares[0] + shares[1]));
    } else {
      outside = next;
      if (logFloor - logLikelihood < 1e-9) break;
      next = outside - (logLikelihood - logFloor) / slope;
    }
  }
  return outside;
}

/** How far the limit is from the estimate if the likelihood were a normal curve; a little more, to start outside. */
function firstGuess(first: Sample, second: Sample, drop: number): number {
  const variance = ({ count, sum }: Sample) => ((sum + 0.5) * (count - sum + 0.5)) / (count + 1) ** 2 / count;
  return 1.2 * Math.sqrt(2 * drop * (variance(first) + variance(second)));
}

interface Profile {
  logLikelihood: number;
  /** Of the log-likelihood in the difference. */
  slope: number;
}

/** The best log-likelihood among the pairs of means with this difference: concave in the second mean, so its derivative has one zero; Newton's method within a bracket. */
function profile(first: Sample, second: Sample, difference: number): Profile {
  const [hits, misses] = [first.sum, first.count - first.sum];
  const [secondHits, secondMisses] = [second.sum, second.count - second.sum];
  let low = Math.max(0, -difference);
  let high = Math.min(1, 1 - difference);
  let mean = clamp((hits + secondHits - first.count * difference) / (first.count + second.count), low, high);
  if (!(mean > low && mean < high)) mean = (low + high) / 2;
  for (let step = 0; step < 200 && high - low > 1e-15; step++) {
    const other = mean + difference;
    const [up, down] = [share(hits, other) + share(secondHits, mean), share(misses, 1 - other) + share(secondMisses, 1 - mean)];
    const slope = up - down;
    if (slope > 0) low = mean;
    else high = mean;
    const curvature = share(share(hits, other), other) + share(share(secondHits, mean), mean) + share(share(misses, 1 - other), 1 - other);
    const move = slope / (curvature + share(share(secondMisses, 1 - mean), 1 - mean));
    if (Math.abs(move) < 1e-10 * Math.min(mean, 1 - mean)) break;
    mean += move;
    if (!(mean > low && mean < high)) mean = (low + high) / 2;
  }
  const other = mean + difference;
  return {
    logLikelihood:
      times(hits, Math.log(other)) +
      times(misses, Math.log1p(-other)) +
      times(secondHits, Math.log(mean)) +
      times(secondMisses, Math.log1p(-mean)),
    slope: share(hits, other) - share(misses, 1 - other),
  };
}

/** 0 · log 0 and 0 / 0 count as 0: values that were not seen say nothing. */
const times = (count: number, logarithm: number) => (count === 0 ? 0 : count * logarithm);
const share = (count: number, mean: number) => (count === 0 ? 0 : count / mean);
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function checkSample({ count, sum }: Sample): void {
  if (!(Number.isFinite(count) && count > 0 && sum >= 0 && sum <= count))
    throw new RangeError(`a sum of ${sum} over ${count} values is not one of values between 0 and 1`);
}
