import type { DuckSession } from '../../adapters/data-engine/duck-session.js';
import { featuresOfFiles, featuresOfRow } from '../../adapters/data-engine/prediction-log/feature-columns.js';
import { inParallel } from '../../adapters/data-engine/prediction-log/in-parallel.js';
import { readParts, type LogObject } from '../../adapters/data-engine/prediction-log/log-day.js';
import { labelObjects, logBatches } from '../../adapters/data-engine/prediction-log/log-objects.js';
import type { LogReader } from '../../adapters/data-engine/prediction-log/log-reader.js';
import { quoteText } from '../../adapters/data-engine/quote-sql.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import type { PredictionId } from '../../domain/serving/prediction-id.js';
import { segmentBeganAt } from '../../domain/serving/prediction-log-columns.js';
import { segmentName } from '../../domain/serving/log-compaction.js';
import { heldUpMaxMs, labelSchema, mayHold, openMaxMs, predictionSchema, storedSchema, theRow } from './logged-row.js';

/** Of each model. */
const objectsMax = 6;
/** Read in one query. */
const batchMax = { filesMax: 32, bytesMax: 64 * 1024 ** 2 };
const modelsAtOnce = 16;
const labelObjectsMax = { filesMax: 5_000, bytesMax: 512 * 1024 ** 2 };

type Store = Pick<ObjectStore, 'list' | 'listFolders' | 'get'>;

interface Reader {
  store: Store;
  session: DuckSession;
  readLog: LogReader;
}

/**
 * A prediction in the object store. The models are looked at together, first what gateways shipped, then the parts that
 * this was merged into: either is as good as the other.
 */
export async function predictionInStore(
  { store, session, readLog }: Reader,
  {
    environment,
    id,
    parsed,
    models,
  }: { environment: Environment; id: string; parsed: PredictionId; models: readonly string[] },
): Promise<LoggedPrediction | undefined> {
  for (const candidates of [shippedSegments, mergedParts]) {
    const found = await inParallel(models, modelsAtOnce, async (model) =>
      nearest(await candidates(store, environment, model, parsed), parsed),
    );
    for (const batch of logBatches(found.flat(), batchMax)) {
      const rows: LoggedPrediction[] = [];
      await readLog('predictions', batch, async (source) => {
        rows.push(...(await rowsOf(session, source, id)));
      });
      const row = theRow(rows, id);
      if (row !== undefined) return row;
    }
  }
  return undefined;
}

async function rowsOf(session: DuckSession, source: string, id: string): Promise<LoggedPrediction[]> {
  const columns = `* REPLACE ("at"::VARCHAR AS "at", version::VARCHAR AS version, epoch::VARCHAR AS epoch)`;
  const where = `prediction_id = ${quoteText(id)} OR starts_with(prediction_id, ${quoteText(`${id}.`)})`;
  const found = await session.rows(`SELECT ${columns} FROM ${source} WHERE ${where} LIMIT 10000`, storedSchema);
  const rows: LoggedPrediction[] = [];
  for (const one of found) {
    const features = one.features ?? featuresOfRow(one, await featuresOfFiles(session, [one.filename]));
    rows.push(predictionSchema.parse({ ...one, features }));
  }
  return rows;
}

/** What gateways shipped, by the hours in which the segment may have begun. */
async function shippedSegments(
  store: Store,
  environment: Environment,
  model: string,
  { at }: PredictionId,
): Promise<LogObject[]> {
  const times = [new Date(at.getTime() - openMaxMs), at, new Date(at.getTime() + heldUpMaxMs)];
  const hours = [...new Set(times.map((time) => time.toISOString().slice(0, 13)))];
  const listed = await inParallel(hours, hours.length, (hour) =>
    store.list(objectKeys.predictionsOfDay(environment, model, hour.slice(0, 10)) + hour.replaceAll('-', '')),
  );
  return listed.flat().map((object) => ({ ...object, segments: [segmentName(object.key)] }));
}

async function mergedParts(
  store: Store,
  environment: Environment,
  model: string,
  { at }: PredictionId,
): Promise<LogObject[]> {
  const times = [new Date(at.getTime() - openMaxMs), new Date(at.getTime() + heldUpMaxMs)];
  const days = [...new Set(times.map((time) => time.toISOString().slice(0, 10)))];
  const parts = await inParallel(days, days.length, (day) =>
    readParts(store, objectKeys.predictionsOfDay(environment, model, day)),
  );
  return parts.flat();
}

/** Those whose segments may hold the prediction, the likeliest first. */
function nearest(objects: readonly LogObject[], parsed: PredictionId): LogObject[] {
  const away = (segment: string) => Math.abs((segmentBeganAt(segment)?.getTime() ?? 0) - parsed.at.getTime());
  return objects
    .flatMap((object) => {
      const may = object.segments.filter((segment) => mayHold(segment, parsed));
      return may.length === 0 ? [] : [{ object, away: Math.min(...may.map(away)) }];
    })
    .sort((left, right) => left.away - right.away)
    .slice(0, objectsMax)
    .map(({ object }) => object);
}

/** The labels of a prediction, and whether all were looked through. */
export async function labelsInStore(
  { store, session, readLog }: Reader,
  model: string,
  { at, labelled }: PredictionId,
): Promise<{ labels: ReceivedLabel[]; all: boolean }> {
  const [objects = [], ...more] = logBatches(await labelObjects(store, { model, from: at, to: at }), labelObjectsMax);
  const labels: ReceivedLabel[] = [];
  await readLog('labels', objects, async (source) => {
    const columns =
      'label, label_class, label_number, observed_at::VARCHAR AS observed_at, received_at::VARCHAR AS received_at';
    labels.push(
      ...(await session.rows(
        `SELECT ${columns} FROM ${source} WHERE prediction_id = ${quoteText(labelled)}`,
        labelSchema,
      )),
    );
  });
  return { labels, all: more.length === 0 };
}
