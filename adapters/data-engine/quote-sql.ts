import { literalPath } from '../../domain/data/lake/literal-path.js';

/** An SQL identifier, quoted: any name is safe. */
export function quoteName(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`;
}

/** An SQL text literal. */
export function quoteText(text: string): string {
  return `'${withoutNul(text).replaceAll("'", "''")}'`;
}

/** An SQL double literal. @throws RangeError for NaN and infinities. */
export function quoteNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`);
  return `CAST('${value}' AS DOUBLE)`;
}

/** The path of a file to read, as an SQL text literal. */
export const quotePath = (file: string): string => quoteText(literalPath(file));

/**
 * A table of Parquet files, by their exact paths: neither a pattern nor a folder such as `store=5` in a path means
 * anything.
 */
export function parquetTable(files: string | readonly string[], options = ''): string {
  const list = typeof files === 'string' ? quotePath(files) : `[${files.map(quotePath).join(', ')}]`;
  return `read_parquet(${list}, hive_partitioning = false${options && `, ${options}`})`;
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new RangeError('a NUL character cannot be written in SQL');
  return text;
}
