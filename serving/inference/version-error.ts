import { PerdureError } from '../../domain/errors.js';
import { isCallersEnd } from '../../inference/caller-deadline.js';
import type { RoutedVersion } from '../routing/active-route.js';

/**
 * What counts as a version's error, so what the judge's `errorShare` compares: the model failed or crashed, the version
 * was out of service when it was chosen, or it refused a request that the incumbent's contract admits. A request that
 * no contract admits is the caller's error; a caller who hangs up or whose deadline passes says nothing of the version.
 */
export function isVersionError(error: unknown): boolean {
  return !isCallersEnd(error) && !isOutOfService(error);
}

/** Counts one error of a version, in the judge's totals and in the gateway's metrics. */
export function countVersionError({ tally, loaded }: RoutedVersion, receivedAt: number): void {
  tally.failed(receivedAt);
  loaded.meters.failed();
}

/**
 * Whether a request failed because its version went out of service while it waited: another version may answer it, and
 * the error is counted when that is chosen.
 */
export function isOutOfService(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'serving/out-of-service';
}
