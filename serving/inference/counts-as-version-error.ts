import { PerdureError } from '../../domain/errors.js';
import { isCallersEnd } from '../../inference/caller-deadline.js';
import type { RoutedVersion } from '../routing/active-route.js';

/**
 * What counts as a version's error, so what the judge's `errorShare` compares, for callers' requests and for the copies
 * that shadows get alike: the model failed, crashed or was too busy, the version was out of service when it was chosen,
 * or it refused what another version of the route takes. A request that no contract admits is the caller's error; a
 * caller who hangs up or whose deadline passes says nothing of the version.
 *
 * @param promised whether another version of the route takes what this one refuses
 */
export function countsAsVersionError(error: unknown, promised = true): boolean {
  if (isCallersEnd(error)) return false;
  return promised || !isRefusal(error);
}

/** Counts what became of a caller's request where that is the version's error: for the judge, and in the metrics. */
export function countVersionError(
  { tally, loaded }: Pick<RoutedVersion, 'tally' | 'loaded'>,
  receivedAt: number,
  error: unknown,
  promised = true,
): void {
  if (!countsAsVersionError(error, promised)) return;
  tally.failed(receivedAt);
  loaded.meters.failed();
}

/** Whether the version's contract refused the request. */
export function isRefusal(error: unknown): error is PerdureError {
  return error instanceof PerdureError && error.code === 'input/invalid';
}

/** Whether the version went out of service while a request waited for it. */
export function isOutOfService(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'serving/out-of-service';
}
