import { keyHash } from './key-hash.js';
import type { Split } from './route.js';

/**
 * The version that answers at `point`, a number in [0, 100).
 *
 * Shares are laid end to end, the newest version first, whatever the order of the split. The order never changes, so while challengers grow at the champion's
 * cost the champion's stretch only shrinks: no key that a challenger once answered goes back to the champion.
 */
export function chooseVersion(split: Split, point: number): number {
  const [first] = split;
  if (first === undefined) throw new RangeError('a split names at least one version');
  if (split.length === 1) return first.version;
  const newestFirst = [...split].sort((left, right) => right.version - left.version);
  let end = 0;
  for (const part of newestFirst) {
    end += part.sharePct;
    if (point < end) return part.version;
  }
  // Shares may add up to a hair less than 100: the last stretch that has a share takes the rest.
  return newestFirst.findLast((part) => part.sharePct > 0)?.version ?? first.version;
}

/** Where a key falls in [0, 100) for a model: the same at every gateway and in every epoch, different from model to model. */
export function keyPoint(model: string, key: string): number {
  return (keyHash(`${model}\n${key}`) / 0x1_0000_0000) * 100;
}
