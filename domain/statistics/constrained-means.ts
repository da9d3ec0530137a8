/** How many values of [0, 1] were seen in one group, and their sum. */
export interface Sample {
  count: number;
  sum: number;
}

/** The likeliest pair of means with a given difference. */
export interface ConstrainedMeans {
  first: number;
  second: number;
  /** Of the binomial likelihood, without its constant; −Infinity where the difference is impossible. */
  logLikelihood: number;
  /** Derivative of `logLikelihood` in the difference. */
  slope: number;
}

/**
 * The binomial likelihood of two groups, maximized over all pairs of means whose difference, first minus second, is
 * given. The maximum is a root of a cubic in closed form (Miettinen and Nurminen 1985, appendix), made exact by one
 * step of Newton's method; or it is at an end, where one of the means is 0 or 1.
 */
export function constrainedMeans(first: Sample, second: Sample, difference: number): ConstrainedMeans {
  const low = Math.max(0, -difference);
  const high = Math.min(1, 1 - difference);
  let mean = Math.max(0, difference);
  let secondMean = low;
  // At an end one of the means stays 0 or 1 while the difference changes: the first, at the lower end of a negative
  // difference.
  let held = difference < 0;
  if (slopeAlong(first, second, mean, secondMean) > 0) {
    mean = Math.min(1, 1 + difference);
    secondMean = high;
    held = difference >= 0;
    if (slopeAlong(first, second, mean, secondMean) < 0) {
      const root = cubicRoot(first, second, difference);
      const near = root > low && root < high ? root : (low + high) / 2;
      const better =
        near +
        slopeAlong(first, second, near + difference, near) / curvatureAlong(first, second, near + difference, near);
      secondMean = better > low && better < high ? better : near;
      mean = secondMean + difference;
      held = false;
    }
  }
  return {
    first: mean,
    second: secondMean,
    logLikelihood: logLikelihood(first, mean) + logLikelihood(second, secondMean),
    slope: held ? -score(second, secondMean) : score(first, mean),
  };
}

function logLikelihood({ count, sum }: Sample, mean: number): number {
  return times(sum, Math.log(mean)) + times(count - sum, Math.log1p(-mean));
}

/** Derivative of the log-likelihood in the mean. */
function score({ count, sum }: Sample, mean: number): number {
  return over(sum, mean) - over(count - sum, 1 - mean);
}

/** Derivative of both groups' log-likelihood when both means rise alike. */
function slopeAlong(first: Sample, second: Sample, mean: number, secondMean: number): number {
  return (
    over(first.sum, mean) +
    over(second.sum, secondMean) -
    over(first.count - first.sum, 1 - mean) -
    over(second.count - second.sum, 1 - secondMean)
  );
}

function curvatureAlong(first: Sample, second: Sample, mean: number, secondMean: number): number {
  const of = ({ count, sum }: Sample, at: number) => over(sum, at * at) + over(count - sum, (1 - at) * (1 - at));
  return of(first, mean) + of(second, secondMean);
}

/** The root, of the three, that is a mean. */
function cubicRoot({ count, sum }: Sample, second: Sample, difference: number): number {
  const all = count + second.count;
  const square = (count + 2 * second.count) * difference - all - sum - second.sum;
  const linear = (second.count * difference - all - 2 * second.sum) * difference + sum + second.sum;
  const shift = square / (3 * all);
  const q =
    shift * shift * shift -
    (square * linear) / (6 * all * all) +
    (second.sum * difference * (1 - difference)) / (2 * all);
  const p = (q < 0 ? -1 : 1) * Math.sqrt(Math.max(0, shift * shift - linear / (3 * all)));
  const angle = (Math.PI + Math.acos(Math.min(1, Math.max(-1, q / (p * p * p))))) / 3;
  return 2 * p * Math.cos(angle) - shift;
}

/** 0 · log 0 and 0 / 0 count as 0: values that were not seen say nothing. */
const times = (count: number, logarithm: number) => (count === 0 ? 0 : count * logarithm);
const over = (count: number, divisor: number) => (count === 0 ? 0 : count / divisor);
