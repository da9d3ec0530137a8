import { PerdureError } from '../../../domain/errors.js';
import {
  compactionManifestSchema,
  isPart,
  manifestNumber,
  segmentName,
  type CompactionManifest,
} from '../../../domain/serving/log-compaction.js';
import type { ListedObject, ObjectStore } from '../../object-store/object-store.js';

/** An object of the prediction log with the names of the segments that it holds: its own, or those merged into it. */
export interface LogObject extends ListedObject {
  segments: readonly string[];
}

export interface LogDay {
  /** What a reader reads: each row of the day is in one of them. */
  objects: LogObject[];
  /** Of these, what was not merged yet. */
  unmerged: ListedObject[];
  /** The manifest that counts; undefined before the first. */
  manifest: { number: number; modifiedAt: string; content: CompactionManifest } | undefined;
  listed: ListedObject[];
}

/** @param prefix of the day's keys @throws PerdureError `not-found` when objects move meanwhile: read again. */
export async function readLogDay(store: Pick<ObjectStore, 'list' | 'get'>, prefix: string): Promise<LogDay> {
  const listed = await store.list(prefix);
  const manifest = await newestManifest(store, listed);
  const parts = manifest?.content.parts ?? [];
  const merged = new Set(parts.flatMap(({ segments }) => segments));
  const unmerged = listed.filter(
    ({ key }) => key.endsWith('.parquet') && !isPart(key) && !merged.has(segmentName(key)),
  );
  const objects = [
    ...parts.map(({ name, bytes, sha256, segments }) => ({
      ...{ key: `${prefix}${name}`, bytes, modifiedAt: manifest?.modifiedAt ?? '', etag: sha256, segments },
    })),
    ...unmerged.map((object) => ({ ...object, segments: [segmentName(object.key)] })),
  ];
  return { objects, unmerged, manifest, listed };
}

/** The parts of a day alone, whatever else lies there. */
export async function readParts(store: Pick<ObjectStore, 'list' | 'get'>, prefix: string): Promise<LogObject[]> {
  const manifest = await newestManifest(store, await store.list(`${prefix}compacted-`));
  return (manifest?.content.parts ?? []).map(({ name, bytes, sha256, segments }) => ({
    ...{ key: `${prefix}${name}`, bytes, modifiedAt: manifest?.modifiedAt ?? '', etag: sha256, segments },
  }));
}

async function newestManifest(
  store: Pick<ObjectStore, 'get'>,
  listed: readonly ListedObject[],
): Promise<LogDay['manifest']> {
  const manifests = listed.flatMap(({ key, modifiedAt }) => {
    const number = manifestNumber(key);
    return number === undefined ? [] : [{ number, key, modifiedAt }];
  });
  const newest = manifests.sort((left, right) => left.number - right.number).at(-1);
  if (newest === undefined) return undefined;
  const text = Buffer.from(await store.get(newest.key)).toString('utf8');
  const { number, modifiedAt } = newest;
  return { number, modifiedAt, content: compactionManifestSchema.parse(JSON.parse(text)) };
}

const triesMax = 5;

/**
 * Reads again from the beginning when an object is gone that was listed: it was merged meanwhile, and a new listing
 * names what holds its rows. `work` must start from nothing.
 */
export async function whileObjectsMove<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesMax || !(error instanceof PerdureError && error.code === 'not-found')) throw error;
    }
  }
}
