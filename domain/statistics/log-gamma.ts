/**
 * Logarithm of the gamma function for x > 0: Stirling's series to the seventh power of 1/x (Abramowitz and Stegun
 * 6.1.41), from 12 on; below that, the recurrence leads there. Its error is below 2e-13 and that of rounding.
 */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 12) {
    product *= shifted;
    shifted += 1;
  }
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  const logarithm = (shifted - 0.5) * Math.log(shifted) - shifted + halfLogTwoPi + series;
  return product === 1 ? logarithm : logarithm - Math.log(product);
}

/** Logarithm of the beta function for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);
