import { z } from 'zod';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';

const countsSchema = z.record(z.string(), z.coerce.number());
/** Planning a query costs more than in proportion to its aggregates. */
const atOnce = 200;

/**
 * How many rows of an SQL source fulfil each predicate, in their order; a bounded number is asked at once, so that wide
 * tables cost in proportion to their columns.
 */
export async function countEach(
  session: DuckSession,
  source: string,
  predicates: readonly string[],
): Promise<number[]> {
  const counts: number[] = [];
  for (let from = 0; from < predicates.length; from += atOnce) {
    const list = predicates
      .slice(from, from + atOnce)
      .map((predicate, index) => `count(*) FILTER (WHERE ${predicate}) AS ${quoteName(String(index))}`);
    const [row] = await session.rows(`SELECT ${list.join(', ')} FROM ${source}`, countsSchema);
    counts.push(...list.map((_, index) => row?.[String(index)] ?? 0));
  }
  return counts;
}
