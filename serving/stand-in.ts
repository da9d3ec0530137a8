import { PerdureError } from '../domain/errors.js';
import { championOf, type Route } from '../domain/route.js';
import type { InferenceEngine } from './inference-engine.js';
import type { LoadedVersion } from './route-table.js';

/**
 * Who answers instead of a version that is out of service: the route's champion, else a version that stands by, if one of them is in service.
 * @param chosenBySplit a version that was asked for by name has no stand-in: who asks for it wants no other
 * @returns undefined when the version can answer for itself
 * @throws PerdureError `serving/out-of-service` when nobody can
 */
export function standInFor(
  chosen: LoadedVersion,
  { route, versions, chosenBySplit }: { route: Route; versions: ReadonlyMap<number, LoadedVersion>; chosenBySplit: boolean },
  engine: Pick<InferenceEngine, 'outOfService'>,
): LoadedVersion | undefined {
  const reason = engine.outOfService(chosen.key);
  if (reason === undefined) return undefined;
  const candidates = chosenBySplit ? [championOf(route.split), ...route.standby] : [];
  for (const version of candidates) {
    const loaded = versions.get(version);
    if (loaded !== undefined && loaded !== chosen && engine.outOfService(loaded.key) === undefined) return loaded;
  }
  const { model, version } = chosen.served;
  const others = chosenBySplit ? ', and no other version of its route can answer' : '';
  throw new PerdureError(
    'serving/out-of-service',
    `${model}@${version} is out of service here${others}: ${reason}. It is tried again by itself; or roll back: \`npx perdure rollback ${model}\`.`,
  );
}

/** Whether a request failed because its version was taken out of service while it waited: then another version may answer it. */
export function wasTakenOut(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'serving/out-of-service';
}
