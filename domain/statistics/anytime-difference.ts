import { constrainedMeans, type Sample } from './constrained-means.js';
import { logBeta } from './log-gamma.js';
import type { ProportionInterval, TailAlphas } from './proportion-interval.js';

/**
 * A confidence sequence for the difference of the means of two groups of values in [0, 1], from counts and sums alone:
 * whoever looks again and again, and stops when it pleases, is wrong at a limit with at most the chance of its alpha
 * over all looks together.
 *
 * Each group's likelihood is mixed over a prior of its mean (Robbins 1970; the beta-binomial mixture of Howard, Ramdas,
 * McAuliffe and Sekhon 2021). The ratio of the mixture to the likelihood at the true pair of means is a nonnegative
 * supermartingale that starts at 1, for Bernoulli values and, by convexity, for any values in [0, 1]; by Ville's
 * inequality it ever reaches 1/alpha with a chance of at most alpha. The pairs of means where it has not are a region,
 * and the interval is what the region covers of the difference.
 *
 * Assumed: given the past, a value of a group has always the same mean. Values may come in any order and any mix of the
 * groups.
 */
export class AnytimeDifference {
  readonly estimate: number;
  readonly #logMixture: number;

  /** @throws RangeError without values in either group or with a sum outside of [0, count] */
  constructor(
    private readonly first: Sample,
    private readonly second: Sample,
  ) {
    this.#logMixture = logMixture(first, second);
    this.estimate = first.sum / first.count - second.sum / second.count;
  }

  /**
   * Logarithm of the e-process against all pairs of means with this difference: it comes to log(1/alpha) for a true one
   * with a chance of alpha at most, ever.
   */
  logEvidenceAgainst(difference: number): number {
    return this.#logMixture - constrainedMeans(this.first, this.second, difference).logLikelihood;
  }

  /** The difference is below this, but for a chance of `alpha` over all looks. */
  upperLimit(alpha: number): number {
    return upperLimit(this.first, this.second, this.#logMixture + Math.log(alpha));
  }

  lowerLimit(alpha: number): number {
    return -upperLimit(this.second, this.first, this.#logMixture + Math.log(alpha));
  }
}

/** Both limits at once. @throws RangeError as `AnytimeDifference` */
export function anytimeDifferenceInterval(first: Sample, second: Sample, alphas: TailAlphas): ProportionInterval {
  const difference = new AnytimeDifference(first, second);
  return {
    estimate: difference.estimate,
    low: difference.lowerLimit(alphas.low),
    high: difference.upperLimit(alphas.high),
  };
}

/**
 * The prior of the two means: an even mixture of Jeffreys' for both and one of rare events for both, which makes shares
 * of errors near 0 cheap to bound. `npm run bench:judge` is where it was chosen.
 */
const prior = [
  { a: 0.5, b: 0.5 },
  { a: 0.5, b: 30 },
].map(({ a, b }) => ({ a, b, logBeta: logBeta(a, b) }));

/** Logarithm of both groups' likelihood, averaged over the prior. */
function logMixture(first: Sample, second: Sample): number {
  checkSample(first);
  checkSample(second);
  let largest = -Infinity;
  let sum = 0;
  for (const { a, b, logBeta: ofPrior } of prior) {
    const part =
      logBeta(a + first.sum, b + first.count - first.sum) +
      logBeta(a + second.sum, b + second.count - second.sum) -
      2 * ofPrior;
    sum = part > largest ? 1 + sum * Math.exp(largest - part) : sum + Math.exp(part - largest);
    largest = Math.max(largest, part);
  }
  return largest + Math.log(sum / prior.length);
}

/**
 * The largest difference whose likelihood, at its best pair of means, is above the floor. That likelihood is concave in
 * the difference, so Newton's steps from outside come closer and never cross: what is returned lies at the limit or, by
 * rounding, beyond it.
 */
function upperLimit(first: Sample, second: Sample, logFloor: number): number {
  const estimate = first.sum / first.count - second.sum / second.count;
  // Only a group of ones alone beside a group of zeros alone can differ by 1.
  if (first.sum === first.count && second.sum === 0) return 1;
  let inside = estimate;
  let outside = 1;
  let next = estimate + firstGuess(first, second, logLikelihood(first) + logLikelihood(second) - logFloor);
  for (let step = 0; step < 100 && outside - inside > 1e-12; step++) {
    if (!(next > inside && next < outside)) next = (inside + outside) / 2;
    const at = constrainedMeans(first, second, next);
    if (at.logLikelihood > logFloor) {
      inside = next;
      next = Math.min((inside + outside) / 2, estimate + 1.5 * (inside - estimate));
    } else {
      outside = next;
      if (logFloor - at.logLikelihood < 1e-8) break;
      next = outside - (at.logLikelihood - logFloor) / at.slope;
    }
  }
  return outside;
}

/** How far the limit is from the estimate if the likelihood were a normal curve; a little more, to start outside. */
function firstGuess(first: Sample, second: Sample, drop: number): number {
  const variance = ({ count, sum }: Sample) => ((sum + 0.5) * (count - sum + 0.5)) / (count + 1) / (count + 1) / count;
  return 1.2 * Math.sqrt(2 * drop * (variance(first) + variance(second)));
}

/** At the group's own mean, where it is largest. */
function logLikelihood({ count, sum }: Sample): number {
  const part = (of: number) => (of === 0 ? 0 : of * Math.log(of / count));
  return part(sum) + part(count - sum);
}

function checkSample({ count, sum }: Sample): void {
  if (!(Number.isFinite(count) && count > 0 && sum >= 0 && sum <= count))
    throw new RangeError(`a sum of ${sum} over ${count} values is not one of values between 0 and 1`);
}
