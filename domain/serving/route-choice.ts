import { murmurHash } from './murmur-hash.js';
import type { Split } from './route.js';

/**
 * The version that answers at `point`, a number in [0, 100).
 *
 * Shares are laid end to end, the newest version first, whatever the order of the split. The order never changes, so
 * while challengers grow at the champion's cost the champion's range only shrinks: no key that a challenger once
 * answered goes back to the champion.
 */
export function chooseVersion(split: Split, point: number): number {
  return shareRangeAt(shareRangesOf(split), point).version;
}

/** A version's part of [0, 100), which ends before `end` and begins where the one before ends. */
export interface ShareRange {
  version: number;
  end: number;
}

/** A split as ranges that lie end to end and leave no point out; versions without a share have none. */
export function shareRangesOf(split: Split): ShareRange[] {
  const newestFirst = split.filter((part) => part.sharePct > 0).sort((left, right) => right.version - left.version);
  let end = 0;
  const ranges = newestFirst.map(({ version, sharePct }) => ({ version, end: (end += sharePct) }));
  // Shares may add up to a hair less than 100: the last range takes the rest.
  return ranges.map((range, index) => (index === ranges.length - 1 ? { ...range, end: Infinity } : range));
}

/** The range that `point` lies in. @throws RangeError when there is none at all. */
export function shareRangeAt<T extends { end: number }>(ranges: readonly T[], point: number): T {
  for (const range of ranges) if (point < range.end) return range;
  throw new RangeError('a split names at least one version with a share');
}

/**
 * Where a key falls in [0, 100) for a model: the same at every gateway and in every epoch, different from model to
 * model.
 */
export function keyPoint(model: string, key: string): number {
  return (murmurHash(`${model}\n${key}`) / 0x1_0000_0000) * 100;
}

/** Apart from the seeds of `keyPoint` (0) and of the digests in logs (1 and 2). */
const shadowSeed = 3;

/**
 * Where a key falls in [0, 100) when shadows are sampled: a request is copied to every shadow whose sample is greater.
 * Independent of `keyPoint`, so that a sample is the same mixture of versions as all the traffic; the same for every
 * shadow, so that they are compared on the same requests.
 */
export function shadowPoint(model: string, key: string): number {
  return (murmurHash(`${model}\n${key}`, shadowSeed) / 0x1_0000_0000) * 100;
}
