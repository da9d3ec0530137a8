import { PerdureError } from '../../domain/errors.js';
import type { ActiveRoute, RoutedVersion } from '../routing/active-route.js';
import type { OverrideCause } from '../../domain/serving/served-log.js';
import type { Rows } from '../../inference/compiled-contract.js';
import type { InputTensor } from '../../inference/input-tensor.js';
import type { InferenceEngine } from '../../inference/inference-engine.js';
import type { LoadedVersion } from '../routing/loaded-version.js';

/** Who answers a request, and what they read of it. */
export interface Taken {
  by: RoutedVersion;
  rows: Rows;
}

/** A request on its way to a version. */
export interface Asked {
  active: ActiveRoute;
  inputs: ReadonlyMap<string, InputTensor>;
  receivedAt: number;
  engine: Pick<InferenceEngine, 'outOfService'>;
  /** Told when a version refuses what callers were promised. */
  onRefusal: (refusing: RoutedVersion, refusal: PerdureError) => void;
}

/**
 * Who answers: the version that was chosen; where that is out of service, or its contract refuses what the route takes,
 * another version of the route. Only the split's choice has a stand-in: who asked for a version wants no other, and
 * gets its own refusal. What a stand-in answers is compared with nothing; the chosen version counts a failure.
 * @throws PerdureError `input/invalid` for what no version takes, `serving/out-of-service` when nobody can answer.
 */
export function takeRequest(chosen: RoutedVersion, asked: Asked): Taken {
  let rows: Rows;
  try {
    rows = chosen.read(asked.inputs);
  } catch (error) {
    if (chosen.role !== 'split' || !(error instanceof PerdureError) || error.code !== 'input/invalid') throw error;
    return takeRefused(chosen, error, asked);
  }
  if (asked.engine.outOfService(chosen.loaded.key) === undefined) return { by: chosen, rows };
  countFailure(chosen, asked.receivedAt);
  const taken = chosen.role === 'split' ? firstToTake(asked.active.reserves, 'stand-in', chosen, asked) : undefined;
  if (taken === undefined) throw outOfService(chosen, asked);
  return taken;
}

/** Who answers instead of a version that was asked and failed; undefined when nobody does. */
export function takeOver(failed: RoutedVersion, asked: Asked): Taken | undefined {
  return failed.role === 'split' ? firstToTake(asked.active.reserves, 'stand-in/failure', failed, asked) : undefined;
}

export function countFailure({ tally, loaded }: RoutedVersion, receivedAt: number): void {
  tally.failed(receivedAt);
  loaded.meters.failed();
}

/**
 * Whether a request failed because its version was taken out of service while it waited: then another version may
 * answer it.
 */
export function wasTakenOut(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'serving/out-of-service';
}

/**
 * A refusal is the version's error where the incumbent would have answered, and else the caller's: then it is told what
 * the incumbent takes, whatever the draw.
 */
function takeRefused(chosen: RoutedVersion, refusal: PerdureError, asked: Asked): Taken {
  const { active, receivedAt, onRefusal } = asked;
  const { incumbent } = active;
  let promised = false;
  let told = refusal;
  if (incumbent.loaded !== chosen.loaded) {
    try {
      incumbent.read(asked.inputs);
      promised = true;
    } catch (error) {
      if (error instanceof PerdureError) told = error;
    }
  }
  if (promised) {
    countFailure(chosen, receivedAt);
    onRefusal(chosen, refusal);
  }
  const taken = firstToTake(active.takers, 'stand-in/contract', chosen, asked);
  if (taken !== undefined) return taken;
  throw promised ? outOfService(incumbent, asked) : told;
}

function firstToTake(
  candidates: readonly LoadedVersion[],
  cause: OverrideCause,
  except: RoutedVersion,
  asked: Asked,
): Taken | undefined {
  for (const loaded of candidates) {
    if (loaded === except.loaded || asked.engine.outOfService(loaded.key) !== undefined) continue;
    const by = asked.active.override(loaded, cause);
    try {
      return { by, rows: by.read(asked.inputs) };
    } catch (error) {
      if (!(error instanceof PerdureError)) throw error;
    }
  }
  return undefined;
}

function outOfService({ loaded, role }: RoutedVersion, { engine }: Asked): PerdureError {
  const { model, version } = loaded.served;
  return new PerdureError(
    'serving/out-of-service',
    `${model}@${version} is out of service ` +
      `here${role === 'split' ? ', and no other version of its route can answer' : ''}: ` +
      `${engine.outOfService(loaded.key)}. ` +
      `It is tried again by itself; to go back to the version before, run \`npx perdure rollback ${model}\`.`,
  );
}
