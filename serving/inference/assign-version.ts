import { PerdureError } from '../../domain/errors.js';
import type { ActiveRoute, RoutedVersion } from '../routing/active-route.js';
import type { OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import type { Rows } from '../../inference/compiled-contract.js';
import type { InputTensor } from '../../inference/input-tensor.js';
import type { InferenceEngine } from '../../inference/inference-engine.js';
import type { LoadedVersion } from '../routing/loaded-version.js';
import { countVersionError, isRefusal } from './counts-as-version-error.js';

/** The version that answers a request, and the rows that it read of it. */
export interface Assignment {
  by: RoutedVersion;
  rows: Rows;
}

/** A request on its way to a version. */
export interface RoutedRequest {
  active: ActiveRoute;
  inputs: ReadonlyMap<string, InputTensor>;
  receivedAt: number;
  engine: Pick<InferenceEngine, 'outOfService'>;
  /** Told when a version refuses what callers were promised. */
  onRefusal: (refusing: RoutedVersion, refusal: PerdureError) => void;
}

/**
 * Who answers: the version that was chosen; where that is out of service, or its contract refuses what the route takes,
 * a fallback: another version of the route. Only the split's choice has a fallback: who asked for a version wants no
 * other, and gets its own refusal. What a fallback answers is compared with nothing; the chosen version counts a
 * failure.
 * @throws PerdureError `input/invalid` for what no version takes, `serving/out-of-service` when nobody can answer.
 */
export function assignVersion(chosen: RoutedVersion, asked: RoutedRequest): Assignment {
  let rows: Rows;
  try {
    rows = chosen.read(asked.inputs);
  } catch (error) {
    if (chosen.role !== 'split' || !isRefusal(error)) throw error;
    return assignAfterRefusal(chosen, error, asked);
  }
  if (asked.engine.outOfService(chosen.loaded.key) === undefined) return { by: chosen, rows };
  const unavailable = outOfService(chosen, asked);
  countVersionError(chosen, asked.receivedAt, unavailable);
  const assigned =
    chosen.role === 'split' ? firstFallback(asked.active.reserves, 'stand-in', chosen, asked) : undefined;
  if (assigned === undefined) throw unavailable;
  return assigned;
}

/** The fallback for a version that was asked and failed; undefined when there is none. */
export function assignFallback(failed: RoutedVersion, asked: RoutedRequest): Assignment | undefined {
  return failed.role === 'split' ? firstFallback(asked.active.reserves, 'stand-in/failure', failed, asked) : undefined;
}

/**
 * A refusal is the version's error where the incumbent would have answered, and else the caller's: then it is told what
 * the incumbent takes, whatever the draw.
 */
function assignAfterRefusal(chosen: RoutedVersion, refusal: PerdureError, asked: RoutedRequest): Assignment {
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
  countVersionError(chosen, receivedAt, refusal, promised);
  if (promised) onRefusal(chosen, refusal);
  const assigned = firstFallback(active.takers, 'stand-in/contract', chosen, asked);
  if (assigned !== undefined) return assigned;
  throw promised ? outOfService(incumbent, asked) : told;
}

function firstFallback(
  candidates: readonly LoadedVersion[],
  cause: OverrideCause,
  except: RoutedVersion,
  asked: RoutedRequest,
): Assignment | undefined {
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

function outOfService({ loaded, role }: RoutedVersion, { engine }: RoutedRequest): PerdureError {
  const { model, version } = loaded.served;
  return new PerdureError(
    'serving/out-of-service',
    `${model}@${version} is out of service ` +
      `here${role === 'split' ? ', and no other version of its route can answer' : ''}: ` +
      `${engine.outOfService(loaded.key)}. ` +
      `It is retried automatically; to roll back to the previous version, run \`npx perdure rollback ${model}\`.`,
  );
}
