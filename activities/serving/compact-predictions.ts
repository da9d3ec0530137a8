import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { inParallel } from '../../adapters/data-engine/prediction-log/in-parallel.js';
import { readLogDay, type LogDay } from '../../adapters/data-engine/prediction-log/log-day.js';
import { logBatches } from '../../adapters/data-engine/prediction-log/log-objects.js';
import { isDamage } from '../../adapters/data-engine/prediction-log/log-reader.js';
import {
  areEqual,
  contentsOf,
  mergeFiles,
  together,
  type Contents,
} from '../../adapters/data-engine/prediction-log/merge-files.js';
import type { ListedObject, ObjectStore } from '../../adapters/object-store/object-store.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import {
  graceMs,
  isPart,
  isSmall,
  manifestNumber,
  partBytes,
  partNumber,
  segmentName,
  type CompactedPart,
} from '../../domain/serving/log-compaction.js';

export interface CompactionDeps {
  store: Pick<ObjectStore, 'list' | 'listFolders' | 'get' | 'getToFile' | 'put' | 'delete'>;
  /** Absolute path of the state folder. */
  home: string;
  now: Date;
  signal?: AbortSignal | undefined;
  report?: (progress: string) => void;
}

export interface LogOfDay {
  environment: Environment;
  model: string;
  day: string;
}

export interface Compacted {
  /** Objects that were merged, and those that they became. */
  merged: number;
  parts: number;
  rows: number;
  /** Objects of before that were removed. */
  removed: number;
  /** It stopped at its bound and is to be called again. */
  more: boolean;
}

export const sessionMemoryMb = 384;
const downloadsMax = 8;
const deletesMax = 16;
/** Segments a call, so that a call takes a minute or so. */
const segmentsMax = 4_000;
const batchMax = { filesMax: 256, bytesMax: partBytes };

/**
 * Merges what gateways shipped on a day that is over into few larger objects. May be killed anywhere, and run twice at
 * a time: parts get a name that nobody else uses, and count from the moment when the next manifest is put, which only
 * one can put. What a manifest of a while ago names is removed.
 */
export async function compactPredictions(
  deps: CompactionDeps,
  { environment, model, day }: LogOfDay,
): Promise<Compacted> {
  const prefix = objectKeys.predictionsOfDay(environment, model, day);
  const before = await readLogDay(deps.store, prefix);
  const removed = await removeMerged(deps, before);
  const known = new Set(before.manifest?.content.unreadable);
  const segments = before.unmerged.filter(({ key }) => !known.has(segmentName(key)));
  const taken = segments.slice(0, segmentsMax);
  if (taken.length === 0) return { merged: 0, parts: 0, rows: 0, removed, more: false };
  const parts = before.manifest?.content.parts ?? [];
  const folder = await makeWorkFolder(deps.home, 'compaction');
  const session = await openDuckSession({ folder, threads: 1, memoryLimitMb: sessionMemoryMb, signal: deps.signal });
  try {
    const number = (before.manifest?.number ?? 0) + 1;
    const keyOf = () => objectKeys.compactedPart(environment, model, day, number, randomUUID());
    const merger = new Merger(deps, session, folder, keyOf);
    const small = parts.filter(isSmall);
    await merger.add([
      ...small.map(({ name, bytes, sha256, segments: own }) => ({
        object: { key: `${prefix}${name}`, bytes, modifiedAt: '', etag: sha256 },
        segments: own,
      })),
      ...taken.map((object) => ({ object, segments: [segmentName(object.key)] })),
    ]);
    const made = await merger.finish();
    const manifest = {
      schemaVersion: 1,
      parts: [...parts.filter((part) => !isSmall(part)), ...made],
      unreadable: [...known, ...merger.unreadable],
    };
    const key = objectKeys.compactionManifest(environment, model, day, number);
    await deps.store.put(key, JSON.stringify(manifest), { ifNoneMatch: '*', contentType: 'application/json' });
    const rows = made.reduce((sum, part) => sum + part.rows, 0);
    return { merged: taken.length, parts: made.length, rows, removed, more: segments.length > taken.length };
  } finally {
    session.close();
    await removeWorkFolder(folder);
  }
}

/** Whether there is something to do on a day: segments to merge, or merged ones to remove. */
export function hasWork({ unmerged, manifest, listed }: LogDay, now: Date): boolean {
  const known = new Set(manifest?.content.unreadable);
  return (
    unmerged.some(({ key }) => !known.has(segmentName(key))) ||
    leftovers({ manifest, listed, unmerged }, now).length > 0
  );
}

/**
 * What the manifest does not need: merged segments and earlier manifests, and parts that do not count. A part that was
 * made for this manifest or an earlier one will never count: whoever made it comes too late.
 */
function leftovers({ manifest, listed, unmerged }: Omit<LogDay, 'objects'>, now: Date): string[] {
  if (manifest === undefined || now.getTime() - Date.parse(manifest.modifiedAt) < graceMs) return [];
  const kept = new Set(unmerged.map(({ key }) => key));
  const parts = new Set(manifest.content.parts.map(({ name }) => name));
  return listed.flatMap(({ key }) => {
    const number = manifestNumber(key);
    if (number !== undefined) return number < manifest.number ? [key] : [];
    const firstManifest = partNumber(key);
    if (firstManifest !== undefined) return !parts.has(nameOf(key)) && firstManifest <= manifest.number ? [key] : [];
    return key.endsWith('.parquet') && !kept.has(key) ? [key] : [];
  });
}

async function removeMerged({ store, now }: CompactionDeps, day: LogDay): Promise<number> {
  const keys = leftovers(day, now);
  await inParallel(keys, deletesMax, (key) => store.delete(key));
  return keys.length;
}

const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

interface Input {
  object: ListedObject;
  segments: readonly string[];
}

/** Merges objects into parts of about the wanted size, and proves that each holds the rows of what it was made of. */
class Merger {
  readonly unreadable: string[] = [];
  private readonly made: CompactedPart[] = [];
  /** Local files that make the next part. */
  private files: string[] = [];
  private bytes = 0;
  private segments: string[] = [];
  private contents: Contents[] = [];
  private number = 0;

  constructor(
    private readonly deps: CompactionDeps,
    private readonly session: DuckSession,
    private readonly folder: string,
    private readonly newKey: () => string,
  ) {}

  async add(inputs: readonly Input[]): Promise<void> {
    const sized = inputs.map((input) => ({ ...input, bytes: input.object.bytes }));
    for (const batch of logBatches(sized, batchMax)) {
      this.deps.signal?.throwIfAborted();
      const folder = path.join(this.folder, `batch-${(this.number += 1)}`);
      await mkdir(folder);
      const files = await inParallel(batch, downloadsMax, async ({ object }, index) => {
        const file = path.join(folder, `${String(index).padStart(6, '0')}.parquet`);
        await this.deps.store.getToFile(object.key, file);
        return file;
      });
      try {
        await this.take(batch, files);
      } catch (error) {
        if (!isDamage(error)) throw error;
        for (const [index, input] of batch.entries()) await this.takeAlone(input, files[index] ?? '');
      }
      await rm(folder, { recursive: true, force: true });
      if (this.bytes >= partBytes || this.files.length >= batchMax.filesMax) await this.close();
    }
  }

  async finish(): Promise<CompactedPart[]> {
    await this.close();
    return this.made;
  }

  private async takeAlone(input: Input, file: string): Promise<void> {
    try {
      await this.take([input], [file]);
    } catch (error) {
      if (!isDamage(error) || isPart(input.object.key)) throw error;
      this.unreadable.push(...input.segments);
    }
  }

  private async take(batch: readonly Input[], files: readonly string[]): Promise<void> {
    const file = path.join(this.folder, `merged-${(this.number += 1)}.parquet`);
    const contents = await contentsOf(this.session, 'predictions', files);
    await mergeFiles(this.session, files, file);
    this.files.push(file);
    this.bytes += (await stat(file)).size;
    this.contents.push(contents);
    this.segments.push(...batch.flatMap(({ segments }) => segments));
    this.deps.report?.(`${this.made.length} parts, ${this.segments.length} segments in the next`);
  }

  private async close(): Promise<void> {
    const [first] = this.files;
    if (first === undefined) return;
    const file = this.files.length === 1 ? first : path.join(this.folder, `part-${(this.number += 1)}.parquet`);
    if (file !== first) await mergeFiles(this.session, this.files, file);
    const key = this.newKey();
    const { sha256, bytes } = await this.deps.store.put(
      key,
      { file },
      { contentType: 'application/vnd.apache.parquet' },
    );
    const contents = together(this.contents);
    await proveHeld(this.deps.store, this.session, { kind: 'predictions', key, sha256, contents, folder: this.folder });
    this.made.push({ name: nameOf(key), bytes, sha256, rows: contents.rows, segments: this.segments });
    await Promise.all(this.files.map((one) => rm(one, { force: true })));
    await rm(file, { force: true });
    Object.assign(this, { files: [], bytes: 0, segments: [], contents: [] });
  }
}

/** Fetches an object back: what it was made of may go only once the store gives every row of it. */
export async function proveHeld(
  store: Pick<ObjectStore, 'getToFile'>,
  session: DuckSession,
  wanted: { kind: 'predictions' | 'labels'; key: string; sha256: string; contents: Contents; folder: string },
): Promise<void> {
  const { kind, key, sha256, contents, folder } = wanted;
  const file = path.join(folder, `back-${randomUUID()}.parquet`);
  await store.getToFile(key, file, { sha256 });
  const held = await contentsOf(session, kind, [file]);
  await rm(file, { force: true });
  if (areEqual(held, contents)) return;
  throw new PerdureError(
    'data/invalid',
    `${key} has ${held.rows} rows instead of ${contents.rows}; nothing was removed. Report this as a bug.`,
  );
}
