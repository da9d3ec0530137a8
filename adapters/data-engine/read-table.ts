import { z } from 'zod';
import type { DataPolicy } from '../../domain/data-policy.js';
import type { ValidationIssue } from '../../domain/validation-report.js';
import { columnReading, storedTypes, typeWords } from './column-type.js';
import { countEach } from './count-each.js';
import { isQueryError, type DuckSession } from './duck-session.js';
import { parquetTable, quoteName } from './quote.js';
import { sameName, textSql } from './source-columns.js';

export interface ReadTable {
  name: string;
  issues: ValidationIssue[];
  /** Columns without a usable value: absent, of a wrong type, or in no file that could be read. */
  broken: Set<string>;
  /** Columns with some wrong or infinite values. */
  tainted: Set<string>;
}

export interface SourceFile {
  path: string;
  /** What a report calls it. */
  name: string;
}

/** The SQL name of a loaded table; a colon keeps it apart from every declared name. */
export const loadedTable = (table: string): string => quoteName(`table:${table}`);

const describeRowSchema = z.object({ column_name: z.string(), column_type: z.string() });
export const exampleSchema = z.record(z.string(), z.string().nullable());
export const EXAMPLES_MAX = 20;

/** Loads a table's files, checking each on its own, and reports everything that keeps them from being what the policy declares. */
export async function readTable(
  session: DuckSession,
  name: string,
  table: DataPolicy['tables'][string],
  files: readonly SourceFile[],
): Promise<ReadTable> {
  const columns = Object.entries(table.columns);
  const result: ReadTable = { name, issues: [], broken: new Set(), tainted: new Set() };
  await session.run(
    `CREATE TABLE ${loadedTable(name)} (${columns.map(([column, type]) => `${quoteName(column)} ${storedTypes[type]}`).join(', ')})`,
  );
  const breakAll = () => columns.forEach(([column]) => result.broken.add(column));
  if (files.length === 0) {
    breakAll();
    result.issues.push(issue('missing-table', name, null, `No file of table ${name} has arrived for this partition. Put its data.`));
    return result;
  }
  let read = 0;
  for (const file of files) {
    try {
      await readFile(session, name, table, file, result);
      read += 1;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const reason = error.message.split('\n')[0]?.replaceAll(file.path, file.name) ?? '';
      result.issues.push(
        issue('unreadable-file', name, null, `${file.name} of table ${name} cannot be read as Parquet: ${reason} Write it again.`),
      );
    }
  }
  if (read === 0) breakAll();
  return result;
}

async function readFile(
  session: DuckSession,
  name: string,
  table: DataPolicy['tables'][string],
  file: SourceFile,
  result: ReadTable,
): Promise<void> {
  const source = parquetTable(file.path);
  const present = await session.rows(`DESCRIBE SELECT * FROM ${source}`, describeRowSchema);
  const base = file.name;
  const issues: ValidationIssue[] = [];
  const selected: { column: string; value: string }[] = [];
  const doubtful: {
    column: string;
    rule: 'wrong-type' | 'infinite';
    predicate: string;
    message: (rows: number) => string;
    whole: boolean;
  }[] = [];
  for (const [column, type] of Object.entries(table.columns)) {
    const found = present.find((entry) => sameName(entry.column_name, column));
    if (!found) {
      result.broken.add(column);
      issues.push(
        issue('missing-column', name, column, `${base} of table ${name} has no column ${column}; it must hold ${typeWords[type]}.`),
      );
      continue;
    }
    const sql = quoteName(found.column_name);
    const reading = columnReading(type, found.column_type, sql);
    if (reading) selected.push({ column, value: reading.value });
    const wrongMessage = (rows: number) =>
      `${rows} values of ${name}.${column} in ${base} (${found.column_type}) are not ${typeWords[type]}. Correct them or the declared type.`;
    doubtful.push({
      column,
      rule: 'wrong-type',
      predicate: reading?.wrong ?? `${sql} IS NOT NULL`,
      message: wrongMessage,
      whole: !reading,
    });
    const infiniteMessage = (rows: number) =>
      `${rows} values of ${name}.${column} in ${base} are infinite. Leave them empty where the value is not known.`;
    if (reading) doubtful.push({ column, rule: 'infinite', predicate: reading.infinite, message: infiniteMessage, whole: false });
  }
  const counted = doubtful.filter(({ predicate }) => predicate !== 'false');
  if (counted.length > 0) {
    const counts = await countEach(
      session,
      source,
      counted.map(({ predicate }) => predicate),
    );
    for (const [index, doubt] of counted.entries()) {
      const rows = counts[index] ?? 0;
      if (rows === 0) continue;
      (doubt.whole ? result.broken : result.tainted).add(doubt.column);
      const shown = [...new Set([...(table.key ?? []), doubt.column])].flatMap((column) => {
        const found = present.find((entry) => sameName(entry.column_name, column));
        return found ? [`CAST(${quoteName(found.column_name)} AS VARCHAR) AS ${quoteName(column)}`] : [];
      });
      const examples = await session.rows(
        `SELECT ${shown.join(', ')} FROM ${source} WHERE ${doubt.predicate} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
        exampleSchema,
      );
      issues.push({ rule: doubt.rule, table: name, column: doubt.column, message: doubt.message(rows), rows, examples });
    }
  }
  if (selected.length > 0) {
    const list = selected.map(({ column, value }) => `${value} AS ${quoteName(column)}`).join(', ');
    await session.run(`INSERT INTO ${loadedTable(name)} BY NAME SELECT ${list} FROM ${source}`);
  }
  result.issues.push(...issues);
}

/** Key columns and a count, as text, for a report's examples. */
export function keyTexts(table: DataPolicy['tables'][string], columns: readonly string[], from = ''): string {
  return columns.map((column) => `${textSql(`${from}${quoteName(column)}`, table.columns[column])} AS ${quoteName(column)}`).join(', ');
}

function issue(rule: ValidationIssue['rule'], table: string, column: string | null, message: string): ValidationIssue {
  return { rule, table, column, message, rows: null, examples: [] };
}

const damageWords = /^(IO|Invalid|Serialization|INTERNAL|TProtocolException)/;

/** What DuckDB says of a damaged file; a lack of memory, a full disk or an interruption is something else. */
function isUnreadable(error: unknown): error is Error {
  if (!(error instanceof Error) || /No space left|Too many open files/.test(error.message)) return false;
  return damageWords.test(error.message) || isQueryError(error);
}
