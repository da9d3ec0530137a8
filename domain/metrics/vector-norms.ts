import type { ScoredRows } from './measurer.js';
import { quantile } from '../statistics/quantile.js';

/** The Euclidean lengths of the vectors that an embedding gives; undefined without rows. */
export function vectorNorms({ scores, width }: ScoredRows) {
  const norms = new Float64Array(width === 0 ? 0 : scores.length / width);
  if (norms.length === 0) return undefined;
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += scores[at]! ** 2;
    norms[row] = Math.sqrt(sum);
  }
  norms.sort();
  return { least: norms[0]!, median: quantile(norms, 0.5), greatest: norms.at(-1)! };
}
