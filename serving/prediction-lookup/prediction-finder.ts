import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { labelObjects, logBatches } from '../../adapters/data-engine/prediction-log/log-objects.js';
import { createLogReader, type LogReader } from '../../adapters/data-engine/prediction-log/log-reader.js';
import { quoteText } from '../../adapters/data-engine/quote.js';
import { createListedObjectCache } from '../../adapters/object-store/listed-object-cache.js';
import type { ListedObject, ObjectStore } from '../../adapters/object-store/object-store.js';
import { PerdureError } from '../../domain/errors.js';
import { environmentSchema, type Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import { parsePredictionId, type PredictionId } from '../../domain/serving/prediction-id.js';
import { overrideCauses, segmentBeganAt } from '../../domain/serving/served-log.js';
import { packedMark } from '../prediction-log/packed-line.js';
import { unpackLine } from '../prediction-log/unpack-line.js';

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
  store: Pick<ObjectStore, 'list' | 'getToFile' | 'head'> | undefined;
}

/**
 * A segment may be written this long after a line was made, on a disk that is held up, and stay open this long after
 * its first.
 */
const heldUpMaxMs = 60_000;
const openMaxMs = 3_600_000;
const objectsMax = 6;
const labelObjectsMax = { filesMax: 5_000, bytesMax: 512 * 1024 ** 2 };
const cacheBytesMax = 256 * 1024 ** 2;

const predictionSchema = z.object({
  prediction_id: z.string(),
  request_id: z.string().nullable(),
  at: z.string().transform(isoTime),
  environment: environmentSchema,
  model: z.string(),
  version: z.coerce.number(),
  epoch: z.coerce.number(),
  role: z
    .string()
    .nullish()
    .transform((role) => role ?? 'split'),
  /** Older lines have none; a newer gateway may know more causes. */
  chosen_by: z.enum(overrideCauses).nullable().catch(null),
  key_hash: z.string().nullable(),
  features: z.preprocess(
    (value) => (typeof value === 'string' ? JSON.parse(value) : value),
    z.record(z.string(), z.unknown()),
  ),
  probability: z.number(),
  label: z.boolean(),
  latency_ms: z.number(),
});
const labelSchema = z.object({
  label: z.boolean(),
  observed_at: z.string().transform(isoTime),
  received_at: z.string().transform(isoTime),
});

/**
 * Finds a prediction and its label: in the spool, where it lies until it is shipped, else in the object store. An id
 * says when and by whom it was answered, and segments are named alike, so few are read.
 * @returns undefined when there is none
 * @throws PerdureError `input/invalid` for the id of a whole batch, `server/unreachable` without the object store
 */
export async function findPrediction(
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
    const prediction =
      (await inSpool(spools.predictions, id, (name) => mayHold(name, parsed))) ??
      (store && readLog && (await inStore(options.environment, store, { session, readLog }, id, parsed, models)));
    if (prediction === undefined) return undefined;
    const spooled = await labelsInSpool(path.join(spools.labels, prediction.model), parsed.labelled);
    const kept = store && readLog && (await labelsInStore(store, { session, readLog }, prediction.model, parsed));
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

interface Reader {
  session: DuckSession;
  readLog: LogReader;
}

function mayHold(segment: string, { at, bootId }: PredictionId): boolean {
  const began = segmentBeganAt(segment)?.getTime();
  return (
    began !== undefined &&
    segment.includes(`-${bootId}-`) &&
    began <= at.getTime() + heldUpMaxMs &&
    began >= at.getTime() - openMaxMs
  );
}

async function inSpool(
  folder: string,
  id: string,
  wanted: (name: string) => boolean,
): Promise<LoggedPrediction | undefined> {
  const packed = `${packedMark}"prediction_id":"${id.replace(/[.~].*$/, '')}"`;
  for (const model of await readdir(folder).catch(() => [])) {
    for (const name of (await readdir(path.join(folder, model)).catch(() => [])).filter(wanted)) {
      const found: unknown[] = [];
      for await (const line of linesOf(path.join(folder, model, name), `{"prediction_id":"${id}`, packed))
        found.push(line);
      const rows = found.map((one) => predictionSchema.parse(one));
      const row = theRow(rows, id);
      if (row !== undefined) return row;
    }
  }
  return undefined;
}

async function inStore(
  environment: Environment,
  store: Pick<ObjectStore, 'list'>,
  { session, readLog }: Reader,
  id: string,
  parsed: PredictionId,
  models: readonly string[],
): Promise<LoggedPrediction | undefined> {
  for (const model of models) {
    const objects: ListedObject[] = [];
    for (const hour of [
      new Date(parsed.at.getTime() - openMaxMs),
      parsed.at,
      new Date(parsed.at.getTime() + heldUpMaxMs),
    ].map(hourOf)) {
      const prefix = objectKeys.predictionsOfDay(environment, model, hour.slice(0, 10)) + hour.replaceAll('-', '');
      if (!objects.some(({ key }) => key.startsWith(prefix))) objects.push(...(await store.list(prefix)));
    }
    const away = ({ key }: ListedObject) => Math.abs((segmentBeganAt(key)?.getTime() ?? 0) - parsed.at.getTime());
    const nearest = objects.filter(({ key }) => mayHold(key, parsed)).sort((left, right) => away(left) - away(right));
    for (const object of nearest.slice(0, objectsMax)) {
      const rows: LoggedPrediction[] = [];
      await readLog('predictions', [object], async (source) => {
        const columns = `* REPLACE ("at"::VARCHAR AS "at", version::VARCHAR AS version, epoch::VARCHAR AS epoch)`;
        const where = `prediction_id = ${quoteText(id)} OR starts_with(prediction_id, ${quoteText(`${id}.`)})`;
        rows.push(
          ...(await session.rows(`SELECT ${columns} FROM ${source} WHERE ${where} LIMIT 10000`, predictionSchema)),
        );
      });
      const row = theRow(rows, id);
      if (row !== undefined) return row;
    }
  }
  return undefined;
}

/** The row of exactly this id. @throws PerdureError when there are only rows of a batch with this id. */
function theRow(rows: readonly LoggedPrediction[], id: string): LoggedPrediction | undefined {
  const exact = rows.find((row) => row.prediction_id === id);
  const inBatch = rows.filter((row) => row.prediction_id.startsWith(`${id}.`) && !row.prediction_id.includes('~'));
  if (exact !== undefined || inBatch.length === 0) return exact;
  throw new PerdureError(
    'input/invalid',
    `${id} answered ${inBatch.length} rows. Ask for one of them: ${id}.0 to ${id}.${inBatch.length - 1}.`,
  );
}

async function labelsInSpool(folder: string, id: string): Promise<ReceivedLabel[]> {
  const found: ReceivedLabel[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    for await (const line of linesOf(path.join(folder, name), `{"prediction_id":"${id}"`))
      found.push(labelSchema.parse(line));
  }
  return found;
}

async function labelsInStore(
  store: Pick<ObjectStore, 'list'>,
  { session, readLog }: Reader,
  model: string,
  { at, labelled }: PredictionId,
): Promise<{ labels: ReceivedLabel[]; all: boolean }> {
  const [objects = [], ...more] = logBatches(await labelObjects(store, { model, from: at }), labelObjectsMax);
  const labels: ReceivedLabel[] = [];
  await readLog('labels', objects, async (source) => {
    const columns = 'label, observed_at::VARCHAR AS observed_at, received_at::VARCHAR AS received_at';
    labels.push(
      ...(await session.rows(
        `SELECT ${columns} FROM ${source} WHERE prediction_id = ${quoteText(labelled)}`,
        labelSchema,
      )),
    );
  });
  return { labels, all: more.length === 0 };
}

/**
 * The whole lines of a segment that begin so, lines of several rows unpacked. A segment that is closed meanwhile loses
 * its suffix; one that was shipped is gone.
 * @param packedBeginning how a line begins that may hold such a line packed
 */
async function* linesOf(file: string, beginning: string, packedBeginning?: string): AsyncGenerator<unknown> {
  for (const candidate of file.endsWith('.open') ? [file, file.slice(0, -'.open'.length)] : [file]) {
    try {
      for await (const line of createInterface({ input: createReadStream(candidate, 'utf8'), crlfDelay: Infinity })) {
        const packed = packedBeginning !== undefined && line.startsWith(packedBeginning);
        for (const one of packed ? (unpackLine(line) ?? []) : [line]) {
          const value = one.startsWith(beginning) ? parsedLine(one) : undefined;
          if (value !== undefined) yield value;
        }
      }
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/** Undefined for a torn line. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const hourOf = (time: Date): string => time.toISOString().slice(0, 13);

/** DuckDB writes `2013-04-01 12:00:00.123`, UTC. */
function isoTime(text: string): string {
  return new Date(text.includes('T') ? text : `${text.replace(' ', 'T')}Z`).toISOString();
}
