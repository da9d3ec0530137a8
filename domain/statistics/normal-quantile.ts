/**
 * The value below which a standard normal variable falls with the given probability: Acklam's rational approximation
 * (relative error below 1.2e-9).
 * @param probability between 0 and 1, both excluded
 * @throws RangeError outside of that
 */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`a probability between 0 and 1 is needed, not ${probability}`);
  if (probability < tail) return lowerTail(probability);
  if (probability > 1 - tail) return -lowerTail(1 - probability);
  const q = probability - 0.5;
  const r = q * q;
  return (q * horner(centreTop, r)) / horner(centreBottom, r);
}

const tail = 0.02425;
const centreTop = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const centreBottom = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
];
const tailTop = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const tailBottom = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1];

function lowerTail(probability: number): number {
  const q = Math.sqrt(-2 * Math.log(probability));
  return horner(tailTop, q) / horner(tailBottom, q);
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
