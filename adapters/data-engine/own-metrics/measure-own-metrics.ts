import { z } from 'zod';
import { messageOf, PerdureError } from '../../../domain/errors.js';
import type { MeasuredPlace, OwnMeasured, OwnMetrics } from '../../../domain/evaluation/own-metric.js';
import { Draws } from '../../../domain/metrics/paired-bootstrap.js';
import { outputSignature, taskOf } from '../../../domain/tasks/task-of.js';
import { isQueryError, type DuckSession } from '../duck-session.js';
import { parquetTable, quoteName, quoteText } from '../quote-sql.js';
import { ownColumns, rowsName, type MeasuredModel } from './own-metric-columns.js';
import { readOwnMetric } from './own-metric-problems.js';
import { scoreColumns, type Model } from './scores-file.js';

export interface OwnMetricsQuestion {
  metrics: OwnMetrics;
  model: MeasuredModel;
  /** What `writeScoresFile` wrote. */
  scores: string;
  /** The files of the holdout, in order. */
  holdout: readonly string[];
  compared: boolean;
  places: readonly MeasuredPlace[];
  bootstrapRounds: number;
  confidencePct: number;
  seed: number;
  onProgress: (donePct: number) => void;
}

/** Rows of all resamples together: more would take minutes. */
const drawnRowsMax = 20_000_000;
/** The fewest resamples whatever the rows: a 95 % interval needs some beyond each end. */
const resamplesMin = 200;

export const ownMetricResamples = (rows: number, bootstrapRounds: number): number =>
  Math.min(bootstrapRounds, Math.max(resamplesMin, Math.floor(drawnRowsMax / Math.max(1, rows))));

const valuesSchema = z.record(z.string(), z.number().nullable());
const unitsSchema = z.object({ rows: z.coerce.number(), units: z.coerce.number() });

/**
 * Measures a team's own metrics on the holdout, with intervals of the same bootstrap as the task's: each resample draws
 * as many units (rows, or groups of a ranking) as there are, with replacement, and both models are measured on it.
 * Expressions that anybody wrote are evaluated here, so the session is one of an engine's process.
 * @throws PerdureError `evaluation/failed`: an expression fails on these rows
 */
export async function measureOwnMetrics(
  session: DuckSession,
  question: OwnMetricsQuestion,
): Promise<{ place: MeasuredPlace; measured: OwnMeasured }[]> {
  const read: ReadMetric[] = [];
  for (const [name, { sql }] of Object.entries(question.metrics)) {
    const found = await readOwnMetric(session, question.model, sql);
    if ('problem' in found) throw failed(name, found.problem);
    read.push({ name, ...found });
  }
  await joinScores(session, question, columnsOf(read));
  const results: { place: MeasuredPlace; measured: OwnMeasured }[] = [];
  for (const [at, place] of question.places.entries()) {
    const progress = (share: number) => question.onProgress((100 * (at + share)) / question.places.length);
    results.push({
      place,
      measured: await measurePlace(session, question, read, await keep(session, place), progress),
    });
  }
  return results;
}

interface ReadMetric {
  name: string;
  sql: string;
  columns: string[];
}

const columnsOf = (read: readonly ReadMetric[]): string[] => [...new Set(read.flatMap(({ columns }) => columns))];

async function measurePlace(
  session: DuckSession,
  { model, compared, bootstrapRounds, confidencePct, seed }: OwnMetricsQuestion,
  read: readonly ReadMetric[],
  { rows, units }: z.infer<typeof unitsSchema>,
  onProgress: (share: number) => void,
): Promise<OwnMeasured> {
  const measure = (which: Model, drawn = '') =>
    measuredValues(
      session,
      read,
      `(SELECT ${selected(model, which, columnsOf(read))} FROM kept${drawn}) AS ${rowsName}`,
    );
  const resamples = units === 0 ? 0 : ownMetricResamples(rows, bootstrapRounds);
  const draws = { own: new Draws(resamples), differences: new Draws(resamples) };
  for (let resample = 0; resample < resamples; resample += 1) {
    const drawn = drawnUnits(units, resample, seed);
    const own = await measure('candidate', drawn);
    const other = compared ? await measure('champion', drawn) : null;
    for (const { name } of read) {
      const value = own[name] ?? Number.NaN;
      draws.own.set(name, resample, value);
      if (other) draws.differences.set(name, resample, value - (other[name] ?? Number.NaN));
    }
    onProgress(resample / resamples);
  }
  return {
    values: await measure('candidate'),
    intervals: draws.own.intervals(confidencePct),
    champion: compared ? await measure('champion') : null,
    differences: draws.differences.intervals(confidencePct),
  };
}

/** Null where an expression gives none, or no finite number. */
async function measuredValues(session: DuckSession, read: readonly ReadMetric[], from: string) {
  const list = read.map(({ name, sql }) => `CAST(${sql} AS DOUBLE) AS ${quoteName(name)}`).join(', ');
  const finite = read
    .map(({ name }) => quoteName(name))
    .map((name) => `CASE WHEN isfinite(${name}) THEN ${name} END AS ${name}`);
  const [values = {}] = await session
    .rows(`SELECT ${finite.join(', ')} FROM (SELECT ${list} FROM ${from})`, valuesSchema)
    .catch((error: unknown) => {
      if (!isQueryError(error)) throw error;
      throw failed(read.map(({ name }) => name).join(', '), messageOf(error));
    });
  return values;
}

/** Rows of the holdout beside what models said of them: both files hold them in the same order. */
async function joinScores(
  session: DuckSession,
  { model, scores, holdout }: OwnMetricsQuestion,
  columns: readonly string[],
): Promise<void> {
  const label = model.contract.label?.name ?? '';
  const features = columns.filter((name) => Object.hasOwn(model.contract.features, name));
  const own = [`${quoteName(label)} AS ${quoteName('perdure:label')}`, ...features.map(quoteName)];
  await session.run(
    `CREATE TABLE joined AS SELECT * FROM ${parquetTable(scores)} POSITIONAL JOIN ` +
      `(SELECT ${own.join(', ')} FROM ${parquetTable(holdout)})`,
  );
}

/** The rows of a place, with their units numbered from 0. */
async function keep(session: DuckSession, place: MeasuredPlace): Promise<z.infer<typeof unitsSchema>> {
  const unit = quoteName(scoreColumns.unit);
  const where =
    place === null ? '' : ` WHERE ${quoteName(scoreColumns.level(place.feature))} = ${quoteText(place.level)}`;
  await session.run(
    `CREATE OR REPLACE TABLE kept AS SELECT * REPLACE (dense_rank() OVER (ORDER BY ${unit}) - 1 AS ${unit}) ` +
      `FROM joined${where}`,
  );
  const [counted] = await session.rows(
    `SELECT count(*) AS rows, count(DISTINCT ${unit}) AS units FROM kept`,
    unitsSchema,
  );
  return counted ?? { rows: 0, units: 0 };
}

/** The same for both models: a unit as often as it was drawn. */
function drawnUnits(units: number, resample: number, seed: number): string {
  const unit = quoteName(scoreColumns.unit);
  return (
    ` JOIN (SELECT CAST(hash(draw, ${resample}, ${seed}) % ${units} AS BIGINT) AS ${unit} ` +
    `FROM range(${units}) AS draws(draw)) AS drawn USING (${unit})`
  );
}

/** The columns that expressions read, by the names that they use, of one model. */
function selected(model: MeasuredModel, which: Model, columns: readonly string[]): string {
  const { predictedClasses } = taskOf(model);
  const { classes } = outputSignature(model.contract, model.classes);
  const outputs = Object.keys(ownColumns(model)).filter((name) => name !== 'label' && name !== 'predicted');
  const parts = columns.map((name) => {
    if (name === 'label') return `${quoteName('perdure:label')} AS label`;
    if (name === 'predicted' && predictedClasses !== null) return `${predictedSql(model, which, classes)} AS predicted`;
    return outputs.includes(name)
      ? `${quoteName(scoreColumns.output(which, name))} AS ${quoteName(name)}`
      : quoteName(name);
  });
  return parts.join(', ') || '1 AS "perdure:nothing"';
}

function predictedSql({ contract }: MeasuredModel, which: Model, classes: readonly (string | number)[]): string {
  const place = quoteName(scoreColumns.predicted(which));
  if (contract.label?.type === 'boolean') return `${place} = 1`;
  const names = classes.map((one) => (typeof one === 'string' ? quoteText(one) : `CAST(${one} AS BIGINT)`));
  return `([${names.join(', ')}])[${place} + 1]`;
}

const failed = (names: string, problem: string) =>
  new PerdureError(
    'evaluation/failed',
    `evaluation.metrics (${names}) cannot be measured on this holdout: ${problem}. Correct the SQL and apply.`,
  );
