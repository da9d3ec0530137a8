import { z } from 'zod';
import {
  featureColumn,
  featuresKey,
  joinFeatures,
  loggedTypes,
  parseFeatures,
  scalarTypes,
  type FeaturesByVersion,
  type LoggedType,
} from '../../../domain/serving/logged-features.js';
import type { DuckSession } from '../duck-session.js';
import { jsonOfStored } from '../stored-json.js';
import { quoteName, quotePath, quoteText } from '../quote-sql.js';

const scalars: readonly LoggedType[] = scalarTypes;

/** The columns that any object of the log may hold of these features, with their SQL types; those of scalars. */
export function columnsOfFeatures(features: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    features.flatMap((name) => scalars.map((type) => [featureColumn(name, type), loggedTypes[type]])),
  );
}

/** A feature's value as SQL, whatever its type was when the row was served, and in older objects from the JSON text. */
export function loggedFeature(name: string, wanted: LoggedType): string {
  if (wanted !== 'number' && wanted !== 'string' && wanted !== 'text')
    return `TRY_CAST(${loggedFeature(name, 'text')} AS ${loggedTypes[wanted]})`;
  const json = `json_extract_string(features, ${quoteText(`$."${name}"`)})`;
  const columns = scalars.map((type) => {
    const column = quoteName(featureColumn(name, type));
    if (wanted === 'number') return type === 'timestamp' ? 'CAST(NULL AS DOUBLE)' : `TRY_CAST(${column} AS DOUBLE)`;
    return type === 'number' ? numberText(column) : `CAST(${column} AS VARCHAR)`;
  });
  return `coalesce(${[...columns, wanted === 'number' ? `TRY_CAST(${json} AS DOUBLE)` : json].join(', ')})`;
}

/** As JSON has it: whole numbers without a point. */
function numberText(column: string): string {
  const isWhole = `${column} = trunc(${column}) AND abs(${column}) < 1e15`;
  return `CASE WHEN ${isWhole} THEN CAST(CAST(${column} AS BIGINT) AS VARCHAR)
    ELSE CAST(CAST(${column} AS DOUBLE) AS VARCHAR) END`;
}

const metadataSchema = z.object({ value: z.string() });

/** The features of each version, as local copies of objects say; none for older objects. */
export async function featuresOfFiles(session: DuckSession, files: readonly string[]): Promise<FeaturesByVersion> {
  const list = files.map(quotePath).join(', ');
  const texts = await session.rows(
    `SELECT DISTINCT decode(value) AS value FROM parquet_kv_metadata([${list}])
      WHERE key = ${quoteText(featuresKey)} ORDER BY value`,
    metadataSchema,
  );
  return joinFeatures(texts.map(({ value }) => parseFeatures(value)));
}

/** The features that a row was served with, missing ones null. */
export function featuresOfRow(row: Record<string, unknown>, features: FeaturesByVersion): Record<string, unknown> {
  // To the data engine names that differ in case only are one.
  const byLowerCase = new Map(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
  const own = [...(features.get(Number(row['version'])) ?? [])];
  return Object.fromEntries(
    own.map(([name, type]) => {
      const value = type === null ? null : (byLowerCase.get(featureColumn(name, type).toLowerCase()) ?? null);
      return [name, type === null ? null : jsonOfStored(type, value)];
    }),
  );
}
