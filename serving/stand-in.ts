import { PerdureError } from '../domain/errors.js';
import { championOf } from '../domain/route.js';
import type { ActiveRoute, RoutedVersion } from './active-route.js';
import type { InferenceEngine } from './inference-engine.js';

/**
 * Who answers a request: the version that was chosen, or while that is out of service the route's champion, else a version that stands by. Only the split's choice has a
 * stand-in: who asked for a version wants no other. What a stand-in answers is compared with nothing; the chosen version counts a failure.
 * @throws PerdureError `serving/out-of-service` when nobody can answer.
 */
export function standInFor(
  chosen: RoutedVersion,
  active: ActiveRoute,
  engine: Pick<InferenceEngine, 'outOfService'>,
  receivedAt: number,
): RoutedVersion {
  const reason = engine.outOfService(chosen.loaded.key);
  if (reason === undefined) return chosen;
  countFailure(chosen, receivedAt);
  const bySplit = chosen.role === 'split';
  const candidates = bySplit ? [championOf(active.route.split), ...active.route.standby] : [];
  for (const version of candidates) {
    const loaded = active.versions.get(version);
    if (loaded !== undefined && engine.outOfService(loaded.key) === undefined) return active.override(loaded, 'stand-in');
  }
  const { model, version } = chosen.loaded.served;
  throw new PerdureError(
    'serving/out-of-service',
    `${model}@${version} is out of service here${bySplit ? ', and no other version of its route can answer' : ''}: ${reason}. It is tried again by itself; ` +
      `to go back to the version before, run \`npx perdure rollback ${model}\`.`,
  );
}

export function countFailure({ tally, loaded }: RoutedVersion, receivedAt: number): void {
  tally.failed(receivedAt);
  loaded.meters.failed();
}

/** Whether a request failed because its version was taken out of service while it waited: then another version may answer it. */
export function wasTakenOut(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'serving/out-of-service';
}
