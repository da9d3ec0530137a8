import { readFloors } from '../../adapters/floors-file.js';
import { floorOf, type Floor } from '../../domain/promotion/floor.js';
import type { Environment } from '../../domain/names.js';
import { whyEnvironmentRefuses, type FloorCandidate } from '../../db/promotion/floor-facts.js';
import { isBroken } from './decision-trust.js';
import type { ActivityDependencies } from '../dependencies.js';

/** While it cannot be read it is asked again: a broken file neither lets a version in nor ends its promotion. */
export async function readFloor(
  { floors }: Pick<ActivityDependencies['config'], 'floors'>,
  environment: Environment,
): Promise<Floor> {
  const read = await readFloors(floors).catch((error: unknown) => {
    throw isBroken(error) ? new Error(error.message, { cause: error }) : error;
  });
  return floorOf(read, environment);
}

/** What an environment asks of every version, asked again at each effect. */
export function environmentFloor({ db, store, config }: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  return {
    /** Why the environment does not take the version; null where it may. */
    whyRefused: async (candidate: FloorCandidate): Promise<string | null> =>
      whyEnvironmentRefuses(db, store, await readFloor(config, candidate.environment), candidate),
  };
}
