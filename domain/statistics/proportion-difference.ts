import { clopperPearsonInterval, evenTails, wilsonInterval, type ProportionInterval, type TailAlphas } from './proportion-interval.js';

/** What was counted in one group. */
export interface Count {
  successes: number;
  trials: number;
}

/**
 * Newcombe's hybrid score interval for the difference of two independent shares, first minus second (Newcombe 1998, method 10: Wilson limits, squared and added).
 * @throws RangeError without trials in either group
 */
export function newcombeInterval(first: Count, second: Count, confidencePct: number): ProportionInterval {
  const alphas = evenTails(confidencePct);
  return squareAndAdd(
    wilsonInterval(first.successes, first.trials, alphas),
    wilsonInterval(second.successes, second.trials, swapped(alphas)),
  );
}

/**
 * As Newcombe's, with the exact limits of Clopper and Pearson (square and add: Zou and Donner 2008), and a chance of its own for either side. Careful where few events were seen: with
 * none in either group its upper limit is the exact one of the first group alone.
 * @throws RangeError without trials in either group
 */
export function exactDifferenceInterval(first: Count, second: Count, alphas: TailAlphas): ProportionInterval {
  return squareAndAdd(
    clopperPearsonInterval(first.successes, first.trials, alphas),
    clopperPearsonInterval(second.successes, second.trials, swapped(alphas)),
  );
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
