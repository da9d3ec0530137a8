import type { Sample } from './constrained-means.js';
import {
  clopperPearsonInterval,
  wilsonInterval,
  type ProportionInterval,
  type TailAlphas,
} from './proportion-interval.js';

/** What was counted in one group. */
export interface Count {
  successes: number;
  trials: number;
}

/**
 * Newcombe's hybrid score interval for the difference of two independent means, first minus second (Newcombe 1998,
 * method 10: Wilson limits, squared and added). Meant for shares; for other values in [0, 1] it is careful, since no
 * such variable varies more than a share with its mean.
 * @throws RangeError without values in either group
 */
export function newcombeInterval(first: Sample, second: Sample, alphas: TailAlphas): ProportionInterval {
  return squareAndAdd(
    wilsonInterval(first.sum, first.count, alphas),
    wilsonInterval(second.sum, second.count, swapped(alphas)),
  );
}

/**
 * As Newcombe's, with the exact limits of Clopper and Pearson (square and add: Zou and Donner 2008). Careful where few
 * events were seen: with none in either group its upper limit is the exact one of the first group alone.
 * @throws RangeError without trials in either group
 */
export function exactDifferenceInterval(first: Sample, second: Sample, alphas: TailAlphas): ProportionInterval {
  return squareAndAdd(
    clopperPearsonInterval(first.sum, first.count, alphas),
    clopperPearsonInterval(second.sum, second.count, swapped(alphas)),
  );
}

/**
 * The interval for one look at a number of values that was settled before: exact limits for counts, Newcombe's for sums
 * of other values.
 */
export function fixedDifferenceInterval(first: Sample, second: Sample, alphas: TailAlphas): ProportionInterval {
  const counted = Number.isInteger(first.sum) && Number.isInteger(second.sum);
  return counted ? exactDifferenceInterval(first, second, alphas) : newcombeInterval(first, second, alphas);
}

/** The second group's upper limit works on the difference's lower one. */
function swapped({ low, high }: TailAlphas): TailAlphas {
  return { low: high, high: low };
}

function squareAndAdd(first: ProportionInterval, second: ProportionInterval): ProportionInterval {
  const estimate = first.estimate - second.estimate;
  return {
    estimate,
    low: estimate - Math.hypot(first.estimate - first.low, second.high - second.estimate),
    high: estimate + Math.hypot(first.high - first.estimate, second.estimate - second.low),
  };
}
