import type { Environment } from '../../../domain/names.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { daysBetween, segmentBeganAt } from '../../../domain/serving/prediction-log-columns.js';
import type { ListedObject, ObjectStore } from '../../object-store/object-store.js';
import { readLogDay, type LogObject } from './log-day.js';
import { inParallel } from './in-parallel.js';

/**
 * How long a segment may have been open before a line that stands in it: its age limit is minutes; an hour covers a
 * gateway that was held up, and clocks that differ.
 */
export const openMaxMs = 3_600_000;
const listingsMax = 8;

/** The objects of the prediction log that may hold predictions of a time. Each row is in one of them. */
export async function predictionObjects(
  store: Pick<ObjectStore, 'list' | 'get'>,
  { environment, model, from, to = new Date() }: { environment: Environment; model: string; from: Date; to?: Date },
): Promise<LogObject[]> {
  const [earliest, latest] = [new Date(from.getTime() - openMaxMs), new Date(to.getTime() + openMaxMs)];
  const days = await inParallel(daysBetween(earliest, latest), listingsMax, (day) =>
    readLogDay(store, objectKeys.predictionsOfDay(environment, model, day)),
  );
  const mayHold = (segment: string) => {
    const began = segmentBeganAt(segment);
    return began === undefined || (began >= earliest && began <= latest);
  };
  return days.flatMap(({ objects }) => objects).filter(({ segments }) => segments.some(mayHold));
}

/**
 * The objects that may hold labels of predictions made at a time, however late they came: those of the index, and
 * segments that are not in it yet.
 */
export async function labelObjects(
  store: Pick<ObjectStore, 'list' | 'listFolders'>,
  { model, from, to = new Date() }: { model: string; from: Date; to?: Date },
): Promise<ListedObject[]> {
  const [earliest, latest] = [new Date(from.getTime() - openMaxMs), new Date(to.getTime() + openMaxMs)];
  // Before the index: what is moved meanwhile is found there.
  const segments = await labelSegments(store, model, earliest);
  const days = [...daysBetween(earliest, latest), 'unknown'];
  const indexed = await inParallel(days, listingsMax, (day) =>
    store.list(objectKeys.labelsOfPredictionDay(model, day)),
  );
  return [...indexed.flat(), ...segments];
}

/** The objects that may hold labels received since a time, whenever their predictions were made. */
export async function receivedLabelObjects(
  store: Pick<ObjectStore, 'list' | 'listFolders'>,
  { model, since }: { model: string; since: Date },
): Promise<ListedObject[]> {
  const segments = await labelSegments(store, model, since);
  const folders = (await store.listFolders(objectKeys.labelsOf(model))).filter((folder) => /\/predicted=/.test(folder));
  const indexed = await inParallel(folders, listingsMax, (folder) => store.list(folder));
  return [...indexed.flat().filter(({ modifiedAt }) => new Date(modifiedAt) >= since), ...segments];
}

/** Segments that are not in the index: those of today, and of days whose turn has not come. */
async function labelSegments(
  store: Pick<ObjectStore, 'list' | 'listFolders'>,
  model: string,
  since: Date,
): Promise<ListedObject[]> {
  const firstDay = since.toISOString().slice(0, 10);
  const folders = (await store.listFolders(objectKeys.labelsOf(model))).filter((folder) => {
    const day = /\/day=([\d-]+)\/$/.exec(folder)?.[1];
    return day !== undefined && day >= firstDay;
  });
  const listed = await inParallel(folders, listingsMax, (folder) => store.list(folder));
  return listed.flat().filter(({ key }) => key.endsWith('.parquet') && (segmentBeganAt(key) ?? since) >= since);
}

/** Objects in groups that fit both bounds; one that is larger stands alone. */
export function logBatches<Item extends Pick<ListedObject, 'bytes'>>(
  objects: readonly Item[],
  { filesMax, bytesMax }: { filesMax: number; bytesMax: number },
): Item[][] {
  const batches: Item[][] = [];
  let bytes = Infinity;
  for (const object of objects) {
    const last = batches.at(-1);
    bytes += object.bytes;
    if (last === undefined || last.length >= filesMax || bytes > bytesMax) {
      batches.push([object]);
      bytes = object.bytes;
    } else last.push(object);
  }
  return batches;
}
