import { z } from 'zod';
import type { ColumnProfile } from '../../../domain/data/snapshot/snapshot.js';
import { PROFILE_LEVELS_MAX } from '../../../domain/data/snapshot/snapshot-summary.js';
import type { ValueType } from '../../../domain/data/feature/feature-value.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';

const numberRowSchema = z.object({
  nulls: z.coerce.number(),
  distinct: z.coerce.number(),
  mean: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  deciles: z.array(z.number()).nullable(),
});
const stringRowSchema = z.object({ nulls: z.coerce.number(), distinct: z.coerce.number() });
const levelRowSchema = z.object({ level: z.string(), rows: z.coerce.number() });
const decileShares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/**
 * Columns that are copied from the source at once: opening a wide Parquet file costs in proportion to all of its
 * columns, each time.
 */
const copiedAtOnce = 50;
const copied = quoteName('table:profiled');

type ProfiledColumn = { name: string; type: ColumnProfile['type'] };

/**
 * Summarises columns of an SQL source, in the order given. Deciles by linear interpolation between the two nearest
 * values (as SQL's `quantile_cont` and NumPy's default), nulls and infinities left out; the most frequent levels first,
 * equal ones by name.
 */
export async function profileColumns(
  session: DuckSession,
  source: string,
  columns: readonly ProfiledColumn[],
): Promise<ColumnProfile[]> {
  const profile: ColumnProfile[] = [];
  for (let from = 0; from < columns.length; from += copiedAtOnce) {
    const part = columns.slice(from, from + copiedAtOnce);
    await session.run(
      `CREATE OR REPLACE TABLE ${copied} AS SELECT ` +
        `${part.map(({ name }) => quoteName(name)).join(', ')} FROM ${source}`,
    );
    // One query a column: several columns in one query take longer than each on its own.
    for (const column of part) profile.push(await profileColumn(session, column));
  }
  if (columns.length > 0) await session.run(`DROP TABLE ${copied}`);
  return profile;
}

async function profileColumn(session: DuckSession, { name, type }: ProfiledColumn): Promise<ColumnProfile> {
  const v = quoteName(name);
  const number = numberOf(type, v);
  if (number !== null) {
    const [row] = await session.rows(
      `SELECT count(*) - count(v) AS nulls, count(DISTINCT v) AS distinct, avg(v) AS mean, min(v) AS min, max(v) AS max,
         quantile_cont(v, [${decileShares.join(', ')}]) AS deciles
       FROM (SELECT ${number} AS v FROM ${copied})`,
      numberRowSchema,
    );
    const known = numberRowSchema.parse(row);
    return { name, type, ...known, deciles: known.deciles ?? [], topLevels: [] };
  }
  const [row] = await session.rows(
    `SELECT count(*) - count(${v}) AS nulls, count(DISTINCT ${v}) AS distinct FROM ${copied}`,
    stringRowSchema,
  );
  const topLevels =
    type === 'vector'
      ? []
      : await session.rows(
          `SELECT CAST(${v} AS VARCHAR) AS level, count(*) AS rows FROM ${copied} WHERE ${v} IS NOT NULL ` +
            `GROUP BY ${v} ORDER BY rows DESC, level LIMIT ${PROFILE_LEVELS_MAX}`,
          levelRowSchema,
        );
  return { name, type, ...stringRowSchema.parse(row), mean: null, min: null, max: null, deciles: [], topLevels };
}

/** What a value is counted by, as SQL; null where it has levels, or nothing to count by. */
function numberOf(type: ValueType, v: string): string | null {
  if (type === 'number') return `CASE WHEN isfinite(${v}) THEN CAST(${v} AS DOUBLE) END`;
  if (type === 'integer') return `CAST(${v} AS DOUBLE)`;
  if (type === 'timestamp') return `epoch(${v})`;
  if (type === 'text') return `CAST(length(${v}) AS DOUBLE)`;
  return type.endsWith('[]') ? `CAST(len(${v}) AS DOUBLE)` : null;
}
