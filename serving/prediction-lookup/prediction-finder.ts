import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { whileObjectsMove } from '../../adapters/data-engine/prediction-log/log-day.js';
import { createLogReader } from '../../adapters/data-engine/prediction-log/log-reader.js';
import { createListedObjectCache } from '../../adapters/object-store/listed-object-cache.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import { parsePredictionId } from '../../domain/serving/prediction-id.js';
import { mayHold } from './logged-row.js';
import { labelsInSpool, predictionInSpool } from './spooled-prediction.js';
import { labelsInStore, predictionInStore } from './stored-prediction.js';

export interface FoundPrediction {
  prediction: LoggedPrediction;
  label: ReceivedLabel | null;
  /** False when there are more labels than were looked through. */
  labelsSearched: boolean;
  /** Of the version's model card, null while it is not written. */
  cardSha256: string | null;
}

export interface PredictionFinderOptions {
  environment: Environment;
  spools: { predictions: string; labels: string };
  /** On the same disk as the copies of log objects. */
  workFolder: string;
  cacheFolder: string;
  /** Undefined: logs stay in the spool. */
  store: Pick<ObjectStore, 'list' | 'listFolders' | 'get' | 'getToFile' | 'head'> | undefined;
}

const cacheBytesMax = 256 * 1024 ** 2;

/**
 * Finds a prediction and its label: in the spool, where it lies until it is shipped, else in the object store. An id
 * says when and by whom it was answered, and segments are named alike, so few are read.
 * @returns undefined when there is none
 * @throws PerdureError `input/invalid` for the id of a whole batch, `server/unreachable` without the object store
 */
export const findPrediction = (
  options: PredictionFinderOptions,
  id: string,
  models: readonly string[],
): Promise<FoundPrediction | undefined> => whileObjectsMove(() => findOnce(options, id, models));

async function findOnce(
  options: PredictionFinderOptions,
  id: string,
  models: readonly string[],
): Promise<FoundPrediction | undefined> {
  const parsed = parsePredictionId(id);
  if (parsed === undefined) return undefined;
  const { store, spools, workFolder, cacheFolder } = options;
  const folder = await mkdtemp(path.join(workFolder, 'find-'));
  const session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 256 });
  const cache = store && createListedObjectCache(store, { folder: cacheFolder, bytesMax: cacheBytesMax });
  try {
    const readLog = cache && createLogReader({ session, cache, folder, signal: undefined, onUnreadable: undefined });
    const reader = store && readLog && { store, session, readLog };
    const prediction =
      (await predictionInSpool(spools.predictions, id, (name) => mayHold(name, parsed))) ??
      (reader && (await predictionInStore(reader, { environment: options.environment, id, parsed, models })));
    if (prediction === undefined) return undefined;
    const spooled = await labelsInSpool(path.join(spools.labels, prediction.model), parsed.labelled);
    const kept = reader && (await labelsInStore(reader, prediction.model, parsed));
    const newest = [...spooled, ...(kept?.labels ?? [])]
      .sort((left, right) => (left.received_at < right.received_at ? -1 : 1))
      .at(-1);
    const card = await store?.head(objectKeys.modelCard(prediction.model, prediction.version, 'json'));
    return { prediction, label: newest ?? null, labelsSearched: kept?.all ?? true, cardSha256: card?.sha256 ?? null };
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
    await cache?.trim();
  }
}
