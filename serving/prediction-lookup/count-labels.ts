import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { predictionObjects, receivedLabelObjects } from '../../adapters/data-engine/prediction-log/log-objects.js';
import { createLogReader } from '../../adapters/data-engine/prediction-log/log-reader.js';
import { quoteText } from '../../adapters/data-engine/quote-sql.js';
import { createListedObjectCache } from '../../adapters/object-store/listed-object-cache.js';
import type { ListedObject } from '../../adapters/object-store/object-store.js';
import { PerdureError } from '../../domain/errors.js';
import { parsePredictionId } from '../../domain/serving/prediction-id.js';
import { segmentBeganAt } from '../../domain/serving/prediction-log-columns.js';
import type { PredictionFinderOptions } from './prediction-finder.js';

/** What became of labels that were received since a time: one a prediction. */
export interface LabelCounts {
  labels: number;
  /** Their prediction is in the log. */
  matched: number;
  /** Their prediction, if there is one, may not be in the log yet. */
  waiting: number;
  /** There is no such prediction of this model in this environment. */
  unmatched: number;
  /** Some of those. */
  unmatchedIds: string[];
  since: string;
  /** False where there were more labels or logs than are looked through at once: the newest were. */
  complete: boolean;
}

const labelsMax = 200_000;
const objectsMax = { files: 2_000, bytes: 512 * 1024 ** 2 };
const cacheBytesMax = 256 * 1024 ** 2;
const examplesMax = 10;
/** A gateway ships its log every 20 seconds; one whose object store is away does so later. */
const shippedAfterMs = 5 * 60_000;
/** A segment begins this long before a row of it at most, and may be named a little later than the row was made. */
const openMaxMs = 3_600_000;
const heldUpMaxMs = 60_000;

/**
 * Joins labels with the prediction log, within bounds.
 * @throws PerdureError `server/unreachable` without the object store.
 */
export async function countLabels(options: PredictionFinderOptions, model: string, since: Date): Promise<LabelCounts> {
  const { store, spools, workFolder, cacheFolder, environment } = options;
  if (store === undefined)
    throw new PerdureError('server/unreachable', 'This gateway has no object store: labels stay in its spool.');
  const folder = await mkdtemp(path.join(workFolder, 'labels-'));
  const session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 256 });
  const cache = createListedObjectCache(store, { folder: cacheFolder, bytesMax: cacheBytesMax });
  try {
    const readLog = createLogReader({ session, cache, folder, signal: undefined, onUnreadable: undefined });
    const labels = newest(await receivedLabelObjects(store, { model, since }));
    await session.run('CREATE TABLE wanted (id VARCHAR)');
    await readLog('labels', labels.objects, (source) =>
      session.run(
        `INSERT INTO wanted SELECT DISTINCT prediction_id FROM ${source} WHERE received_at >= ${timestamp(since)}`,
      ),
    );
    await session.append('wanted', [{ type: 'VARCHAR', values: await spooledLabels(path.join(spools.labels, model)) }]);
    const rows = await session.rows(
      `SELECT DISTINCT id FROM wanted ORDER BY id DESC LIMIT ${labelsMax + 1}`,
      z.object({ id: z.string() }),
    );
    const ids = rows.slice(0, labelsMax).map(({ id }) => id);
    const made = ids.flatMap((id) => parsePredictionId(id) ?? []);
    const times = made.map(({ at }) => at.getTime()).sort((left, right) => left - right);
    const [from, to] = [times[0], times.at(-1)];
    const listed =
      from === undefined || to === undefined
        ? []
        : await predictionObjects(store, { environment, model, from: new Date(from), to: new Date(to) });
    const predictions = newest(listed.filter(({ segments }) => segments.some((segment) => mayHoldOne(segment, made))));
    await session.run('CREATE TABLE found (id VARCHAR)');
    await readLog('predictions', predictions.objects, (source) =>
      session.run(
        `INSERT INTO found SELECT DISTINCT prediction_id FROM ${source} WHERE prediction_id IN ` +
          '(SELECT id FROM wanted)',
      ),
    );
    const found = new Set(
      (await session.rows('SELECT DISTINCT id FROM found', z.object({ id: z.string() }))).map(({ id }) => id),
    );
    const spooling = await bootsThatSpool(path.join(spools.predictions, model));
    const rest = ids.filter((id) => !found.has(id));
    const mayCome = (id: string) => {
      const parsed = parsePredictionId(id);
      return parsed !== undefined && (Date.now() - parsed.at.getTime() < shippedAfterMs || spooling.has(parsed.bootId));
    };
    const unmatched = rest.filter((id) => !mayCome(id));
    return {
      labels: ids.length,
      matched: ids.length - rest.length,
      waiting: rest.length - unmatched.length,
      unmatched: unmatched.length,
      unmatchedIds: unmatched.slice(0, examplesMax),
      since: since.toISOString(),
      complete: labels.complete && predictions.complete && rows.length <= labelsMax,
    };
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
    await cache.trim();
  }
}

const timestamp = (time: Date): string => `TIMESTAMP ${quoteText(time.toISOString().slice(0, -1))}`;

/** The newest objects that fit the bounds. */
function newest(objects: readonly ListedObject[]): { objects: ListedObject[]; complete: boolean } {
  const began = ({ key, modifiedAt }: ListedObject) => segmentBeganAt(key)?.getTime() ?? Date.parse(modifiedAt);
  const kept: ListedObject[] = [];
  let bytes = 0;
  for (const object of objects.toSorted((left, right) => began(right) - began(left))) {
    bytes += object.bytes;
    if (kept.length >= objectsMax.files || bytes > objectsMax.bytes) return { objects: kept, complete: false };
    kept.push(object);
  }
  return { objects: kept, complete: true };
}

/** A segment's name says which process wrote it and when it began, as ids do. */
function mayHoldOne(segment: string, made: readonly { at: Date; bootId: string }[]): boolean {
  const began = segmentBeganAt(segment)?.getTime();
  if (began === undefined) return true;
  return made.some(
    ({ at, bootId }) =>
      segment.includes(`-${bootId}-`) && began <= at.getTime() + heldUpMaxMs && began >= at.getTime() - openMaxMs,
  );
}

async function spooledLabels(folder: string): Promise<string[]> {
  const ids: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    try {
      for await (const line of createInterface({
        input: createReadStream(path.join(folder, name), 'utf8'),
        crlfDelay: Infinity,
      })) {
        const id = /^\{"prediction_id":"([^"]+)"/.exec(line)?.[1];
        if (id !== undefined && ids.length < labelsMax) ids.push(id);
      }
    } catch {
      // Closed or shipped meanwhile: then it is among the objects, now or at the next look.
    }
  }
  return ids;
}

/** Processes whose predictions wait in this gateway's spool. */
async function bootsThatSpool(folder: string): Promise<Set<string>> {
  const names = await readdir(folder).catch(() => []);
  return new Set(names.flatMap((name) => /^\d{8}T\d{6}Z-([0-9a-z]+)-/.exec(name)?.[1] ?? []));
}
