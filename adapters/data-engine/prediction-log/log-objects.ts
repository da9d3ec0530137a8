import type { Environment } from '../../../domain/names.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { daysBetween, segmentBeganAt } from '../../../domain/serving/served-log.js';
import type { ListedObject, ObjectStore } from '../../object-store/object-store.js';

/**
 * How long a segment may have been open before a line that stands in it: its age limit is minutes; an hour covers a
 * gateway that was held up, and clocks that differ.
 */
const openMaxMs = 3_600_000;

/** The objects of the prediction log that may hold predictions of a time. */
export function predictionObjects(
  store: Pick<ObjectStore, 'list'>,
  { environment, model, from, to = new Date() }: { environment: Environment; model: string; from: Date; to?: Date },
): Promise<ListedObject[]> {
  return segmentsOf(store, (day) => objectKeys.predictionsOfDay(environment, model, day), from, to);
}

/** The objects that may hold labels of predictions made since a time, however late they came. */
export function labelObjects(
  store: Pick<ObjectStore, 'list'>,
  { model, from }: { model: string; from: Date },
): Promise<ListedObject[]> {
  return segmentsOf(store, (day) => objectKeys.labelsOfDay(model, day), from, new Date());
}

async function segmentsOf(
  store: Pick<ObjectStore, 'list'>,
  prefixOf: (day: string) => string,
  from: Date,
  to: Date,
): Promise<ListedObject[]> {
  const earliest = new Date(from.getTime() - openMaxMs);
  const latest = new Date(to.getTime() + openMaxMs);
  const found: ListedObject[] = [];
  for (const day of daysBetween(earliest, latest)) {
    for (const object of await store.list(prefixOf(day))) {
      const began = segmentBeganAt(object.key);
      if (object.key.endsWith('.parquet') && (began === undefined || (began >= earliest && began <= latest)))
        found.push(object);
    }
  }
  return found;
}

/** Objects in groups that fit both bounds; one that is larger stands alone. */
export function logBatches(
  objects: readonly ListedObject[],
  { filesMax, bytesMax }: { filesMax: number; bytesMax: number },
): ListedObject[][] {
  const batches: ListedObject[][] = [];
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
