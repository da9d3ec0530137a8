import { betaQuantile } from './beta-distribution.js';
import { normalQuantile } from './normal-quantile.js';

/** A share that was seen with the limits between which the true one is believed to lie; all from 0 to 1. */
export interface ProportionInterval {
  estimate: number;
  low: number;
  high: number;
}

/**
 * The chance, from 0 to 1, that each limit may be on the wrong side of the truth. A two-sided 95 % interval has 0.025
 * on each.
 */
export interface TailAlphas {
  low: number;
  high: number;
}

/** Both limits with the same chance. @param confidencePct 95 for 95 percent */
export function evenTails(confidencePct: number): TailAlphas {
  const alpha = (1 - confidencePct / 100) / 2;
  return { low: alpha, high: alpha };
}

/**
 * Wilson's score interval (Wilson 1927), without continuity correction. Successes may be a sum of values between 0 and
 * 1.
 * @throws RangeError without trials or with impossible counts
 */
export function wilsonInterval(successes: number, trials: number, alphas: TailAlphas): ProportionInterval {
  checkTotals(successes, trials);
  const limit = (alpha: number, side: -1 | 1) => {
    const z = -normalQuantile(alpha);
    const share = successes / trials;
    const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
    return (share + (z * z) / (2 * trials) + side * spread) / (1 + (z * z) / trials);
  };
  return {
    estimate: successes / trials,
    low: successes === 0 ? 0 : Math.max(0, limit(alphas.low, -1)),
    high: successes === trials ? 1 : Math.min(1, limit(alphas.high, 1)),
  };
}

/**
 * The exact interval of Clopper and Pearson (1934): each limit errs with at most its alpha, for every true share and
 * number of trials.
 * @throws RangeError without trials or with impossible counts
 */
export function clopperPearsonInterval(successes: number, trials: number, alphas: TailAlphas): ProportionInterval {
  checkCounts(successes, trials);
  return {
    estimate: successes / trials,
    low: successes === 0 ? 0 : betaQuantile(alphas.low, successes, trials - successes + 1),
    high: successes === trials ? 1 : betaQuantile(1 - alphas.high, successes + 1, trials - successes),
  };
}

function checkCounts(successes: number, trials: number): void {
  if (!Number.isInteger(successes)) throw new RangeError(`${successes} of ${trials} is not a share of whole numbers`);
  checkTotals(successes, trials);
}

function checkTotals(successes: number, trials: number): void {
  if (!(Number.isInteger(trials) && trials > 0 && successes >= 0 && successes <= trials))
    throw new RangeError(`${successes} of ${trials} is not a share with at least one trial`);
}
