import path from 'node:path';
import { z } from 'zod';
import { PerdureError } from '../../../domain/errors.js';
import { metricName, type JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import type { Environment } from '../../../domain/names.js';
import { servingRoleSchema, type ServingRole } from '../../../domain/serving/serving-window.js';
import { createListedObjectCache } from '../../object-store/listed-object-cache.js';
import { makeWorkFolder, removeWorkFolder } from '../../work-folder.js';
import type { ListedObject, ObjectStore } from '../../object-store/object-store.js';
import { openDuckSession, type DuckSession } from '../duck-session.js';
import { createEngine } from '../engine.js';
import type { AnsweredLog } from './answer-values.js';
import { truthColumns } from './loss-sql.js';
import { loggedMetrics, type LoggedMetric } from './logged-metric.js';
import { whileObjectsMove } from './log-day.js';
import { labelObjects, openMaxMs, predictionObjects } from './log-objects.js';
import { createLogReader, type LogReader } from './log-reader.js';
import { quoteName, quoteText } from '../quote-sql.js';
import { createValueExpressions, predictionColumns } from '../expressions/value-expression.js';

/** What one version answered in one role, and how well. */
export interface ServedOutcomes {
  version: number;
  role: ServingRole;
  predictions: number;
  /** Of these, those whose label has arrived. */
  labelled: number;
  /**
   * By `metricName`: predictions that say something of the metric, and the sum of what they say, each between 0 and 1.
   */
  samples: Record<string, { count: number; sum: number }>;
}

export interface ServedOutcomesQuestion extends AnsweredLog {
  environment: Environment;
  model: string;
  /** Both included. */
  epochFrom: number;
  epochTo: number;
  /** No prediction that counts is older, or younger than `to` (now, by default); labels count whenever they came. */
  from: Date;
  to?: Date;
  /** Those that gateways count themselves are left out. */
  metrics: readonly JudgedMetric[];
  signal?: AbortSignal | undefined;
}

export interface ServedOutcomesDependencies {
  store: Pick<ObjectStore, 'list' | 'listFolders' | 'get' | 'getToFile'>;
  config: { /** Absolute path of the state folder. */ home: string };
  /** Of the copies of log segments on this disk. */
  cacheBytesMax?: number;
  /** Told of each object that is no Parquet file with the log's columns, and was left out. */
  onUnreadable?: (key: string, reason: string) => void;
}

const cacheBytesMaxDefault = 2 * 1024 ** 3;
const memoryLimitMb = 512;
const engineLimits = { residentMb: memoryLimitMb + 1024, statementMs: 120_000 };

const numberSchema = z.coerce.number();
const rowSchema = z.looseObject({
  version: numberSchema,
  role: servingRoleSchema,
  predictions: numberSchema,
  labelled: numberSchema,
});

/**
 * Joins the prediction log with the labels. Of several labels for one prediction the one received last counts; a label
 * of an unknown prediction counts nowhere; a shadow's answer is judged by the label of the request that it copied.
 */
export function createServedOutcomes({
  store,
  config,
  cacheBytesMax = cacheBytesMaxDefault,
  onUnreadable,
}: ServedOutcomesDependencies) {
  const cache = createListedObjectCache(store, {
    folder: path.join(config.home, 'cache', 'logs'),
    bytesMax: cacheBytesMax,
  });
  return {
    /**
     * Counts by version and role, in that order.
     * @throws PerdureError `definition/invalid` for a bad expression, `server/unreachable` without the object store.
     */
    count: (question: ServedOutcomesQuestion): Promise<ServedOutcomes[]> => whileObjectsMove(() => countOnce(question)),
  };

  async function countOnce(question: ServedOutcomesQuestion): Promise<ServedOutcomes[]> {
    const folder = await makeWorkFolder(config.home, 'outcomes');
    // Only a value metric holds an expression of the definition; what else is asked is ours.
    const engine = question.metrics.some(({ metric }) => metric === 'value')
      ? createEngine(engineLimits, question.signal)
      : undefined;
    const open = engine?.open ?? openDuckSession;
    let session: DuckSession | undefined;
    try {
      session = await open({ folder, threads: 1, memoryLimitMb, signal: question.signal });
      const opened = session;
      const metrics = await loggedMetrics(question.metrics, question, await createValueExpressions(opened, question));
      const readLog = createLogReader({
        ...{ session: opened, cache, folder, signal: question.signal, onUnreadable },
        features: metrics.flatMap((metric) => metric.features),
      });
      await collectLabels(opened, readLog, await labelObjects(store, question));
      const totals = new Map<string, ServedOutcomes>();
      await readLog('predictions', await predictionObjects(store, question), async (source) => {
        for (const row of await opened.rows(countsSql(source, question, metrics), rowSchema)) add(totals, row, metrics);
      });
      return [...totals.values()].sort(
        (left, right) => left.version - right.version || (left.role < right.role ? -1 : 1),
      );
    } catch (error) {
      throw withMetrics(error, question.metrics);
    } finally {
      session?.close();
      engine?.end();
      await removeWorkFolder(folder);
      await cache.trim();
    }
  }
}

/** A limit that was exceeded, with the metrics that were being evaluated. */
function withMetrics(error: unknown, metrics: readonly JudgedMetric[]): unknown {
  if (!(error instanceof PerdureError) || error.code !== 'expression/limit-exceeded') return error;
  const values = metrics.filter(({ metric }) => metric === 'value').map(metricName);
  return new PerdureError(error.code, `${values.join(', ')}: ${error.message}`, { metrics: values });
}

const truthTypes = { label: 'BOOLEAN', label_class: 'VARCHAR', label_number: 'DOUBLE' } as const;
const truths = Object.keys(truthTypes).join(', ');
const anyTruth = '(label IS NOT NULL OR label_class IS NOT NULL OR label_number IS NOT NULL)';
const joinedTruths = [
  ...Object.entries(truthColumns).map(([column, name]) => `labels.${column} AS ${name}`),
  `labels.id IS NOT NULL AS "log:labelled"`,
].join(', ');

/** One label a prediction: the one received last, at a tie the one written last. */
async function collectLabels(
  session: DuckSession,
  readLog: LogReader,
  objects: readonly ListedObject[],
): Promise<void> {
  await session.run(
    `CREATE TABLE received (id VARCHAR, ${Object.entries(truthTypes)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')},
      received_at TIMESTAMP, file VARCHAR, line BIGINT)`,
  );
  await readLog('labels', objects, (source) =>
    session.run(
      `INSERT INTO received SELECT prediction_id, ${truths}, received_at, filename, file_row_number FROM ${source}
        WHERE ${anyTruth}`,
    ),
  );
  await session.run(
    `CREATE TABLE labels AS SELECT id, ${truths} FROM received QUALIFY row_number() OVER (PARTITION BY id
      ORDER BY received_at DESC NULLS LAST, file DESC, line DESC) = 1`,
  );
  await session.run('DROP TABLE received');
}

function countsSql(source: string, question: ServedOutcomesQuestion, metrics: readonly LoggedMetric[]): string {
  const { epochFrom, epochTo, from, to = new Date() } = question;
  const samples = metrics.flatMap(({ sql }, index) => [
    `count(${sql})::VARCHAR AS ${quoteName(`count:${index}`)}`,
    `coalesce(sum(${sql}), 0) AS ${quoteName(`sum:${index}`)}`,
  ]);
  // The log's own columns get names that no feature can have.
  const prediction = `SELECT version AS "log:version",
    coalesce(role, CASE WHEN contains(prediction_id, '~') THEN 'shadow' ELSE 'split' END) AS "log:role",
      regexp_replace(prediction_id, '~v[0-9]+', '') AS "log:id", ${predictionColumns(
        question,
        metrics.flatMap((metric) => metric.features),
      )}
    FROM ${source} WHERE epoch BETWEEN ${Math.trunc(epochFrom)} AND ${Math.trunc(epochTo)}
    AND ${madeBetween(from, to)}`;
  const joined =
    `SELECT prediction.*, ${joinedTruths} FROM (${prediction}) AS prediction LEFT ` +
    'JOIN labels ON labels.id = "log:id"';
  return `SELECT ${[
    '"log:version"::VARCHAR AS version',
    '"log:role" AS role',
    'count(*)::VARCHAR AS predictions',
    `count(*) FILTER (WHERE "log:labelled")::VARCHAR AS labelled`,
    ...samples,
  ].join(', ')}
    FROM (${joined}) AS prediction GROUP BY "log:version", "log:role"`;
}

/** As near as segments tell it: of objects that hold many, the rows that segments of the time would hold. */
function madeBetween(from: Date, to: Date): string {
  const [earliest, latest] = [from.getTime() - openMaxMs, to.getTime() + openMaxMs].map(
    (time) => `TIMESTAMP ${quoteText(new Date(time).toISOString().slice(0, -1))}`,
  );
  return `("at" IS NULL OR "at" BETWEEN ${earliest} AND ${latest})`;
}

function add(
  totals: Map<string, ServedOutcomes>,
  row: z.infer<typeof rowSchema>,
  metrics: readonly LoggedMetric[],
): void {
  const { version, role, predictions, labelled } = row;
  const key = `${version} ${role}`;
  const total: ServedOutcomes = totals.get(key) ?? { version, role, predictions: 0, labelled: 0, samples: {} };
  totals.set(key, total);
  total.predictions += predictions;
  total.labelled += labelled;
  for (const [index, { name }] of metrics.entries()) {
    const sample = (total.samples[name] ??= { count: 0, sum: 0 });
    sample.count += numberSchema.parse(row[`count:${index}`]);
    sample.sum += numberSchema.parse(row[`sum:${index}`]);
  }
}
