import { z } from 'zod';
import { featuresKey, featuresText, type FeaturesByVersion } from '../../../domain/serving/logged-features.js';
import type { DuckSession } from '../duck-session.js';
import { quoteText } from '../quote-sql.js';

const copiedSchema = z.object({ Count: z.coerce.number() });

/** Writes a query's rows as an object of a log. @returns their number */
export async function copyLog(
  session: DuckSession,
  query: string,
  parquet: string,
  features: FeaturesByVersion,
): Promise<number> {
  const metadata = features.size === 0 ? '' : `, KV_METADATA {${featuresKey}: ${quoteText(featuresText(features))}}`;
  const options = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false${metadata}`;
  const [copied] = await session.rows(`COPY (${query}) TO ${quoteText(parquet)} (${options})`, copiedSchema);
  return copied?.Count ?? 0;
}
