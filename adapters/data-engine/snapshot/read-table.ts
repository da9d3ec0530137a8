import { z } from 'zod';
import type { ColumnType, DataPolicy } from '../../../domain/data/data-policy.js';
import { matchColumn, parquetColumnNames } from '../../../domain/data/lake/parquet-columns.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { columnReading, storedTypes, typeWords, type ColumnDoubt } from './column-type.js';
import { countEach } from './count-each.js';
import { isQueryError, type DuckSession } from '../duck-session.js';
import { parquetTable, quoteName, quotePath } from '../quote-sql.js';
import { textSql } from '../expressions/source-columns.js';

export interface ReadTable {
  name: string;
  /** The SQL name under which it was loaded. */
  loaded: string;
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
const schemaRowSchema = z
  .object({ name: z.string(), num_children: z.coerce.number().nullable() })
  .transform(({ name, num_children }) => ({ name, children: num_children ?? 0 }));
export const exampleSchema = z.record(z.string(), z.string().nullable());
export const EXAMPLES_MAX = 20;

/**
 * Loads a table's files, checking each on its own, and reports everything that keeps them from being what the policy
 * declares.
 */
export async function readTable(
  session: DuckSession,
  name: string,
  table: DataPolicy['tables'][string],
  files: readonly SourceFile[],
  loaded = loadedTable(name),
): Promise<ReadTable> {
  const columns = Object.entries(table.columns);
  const result: ReadTable = { name, loaded, issues: [], broken: new Set(), tainted: new Set() };
  await session.run(
    `CREATE TABLE ${loaded} ` +
      `(${columns.map(([column, type]) => `${quoteName(column)} ${storedTypes[type]}`).join(', ')})`,
  );
  const breakAll = () => columns.forEach(([column]) => result.broken.add(column));
  if (files.length === 0) {
    breakAll();
    result.issues.push(
      issue('missing-table', name, null, `Table ${name} has no file for this partition. Put its data.`),
    );
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
        issue(
          'unreadable-file',
          name,
          null,
          `${file.name} of table ${name} cannot be read as Parquet: ${reason} Write it again.`,
        ),
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
  const names = parquetColumnNames(
    await session.rows(`SELECT name, num_children FROM parquet_schema(${quotePath(file.path)})`, schemaRowSchema),
  );
  const types = await session.rows(`DESCRIBE SELECT * FROM ${source}`, describeRowSchema);
  if (names.length !== types.length)
    throw new Error(`${file.name} has ${names.length} columns by its schema and ${types.length} as it is read`);
  const issues: ValidationIssue[] = [];
  const found = new Map<string, { sql: string; type: string }>();
  for (const [column, type] of Object.entries(table.columns)) {
    const match = matchColumn(names, column);
    if (match === 'absent' || 'ambiguous' in match) {
      result.broken.add(column);
      issues.push(
        match === 'absent'
          ? absentIssue(name, file, column, type)
          : ambiguousIssue(name, file, column, match.ambiguous),
      );
      continue;
    }
    const there = types[match.index];
    if (there) found.set(column, { sql: quoteName(there.column_name), type: there.column_type });
  }
  const shown = (column: string) => {
    const columns = [...new Set([...(table.key ?? []), column])].filter((one) => found.has(one));
    return columns.map((one) => `CAST(${found.get(one)?.sql} AS VARCHAR) AS ${quoteName(one)}`).join(', ');
  };
  const selected: { column: string; value: string }[] = [];
  const doubtful: (ColumnDoubt & { column: string; whole: boolean })[] = [];
  for (const [column, { sql, type }] of found) {
    const declared = table.columns[column];
    const reading = declared && columnReading(declared, type, sql);
    if (reading) {
      selected.push({ column, value: reading.value });
      doubtful.push(...reading.doubts.map((doubt) => ({ ...doubt, column, whole: false })));
    } else if (declared) {
      const problem = `are not ${typeWords[declared]}. Correct them or the declared type`;
      doubtful.push({ rule: 'wrong-type', predicate: `${sql} IS NOT NULL`, problem, column, whole: true });
    }
  }
  if (doubtful.length > 0) {
    const predicates = doubtful.map(({ predicate }) => predicate);
    const counts = await countEach(session, source, predicates);
    for (const [index, { rule, column, predicate, problem, whole }] of doubtful.entries()) {
      const rows = counts[index] ?? 0;
      if (rows === 0) continue;
      (whole ? result.broken : result.tainted).add(column);
      const examples = await session.rows(
        `SELECT ${shown(column)} FROM ${source} WHERE ${predicate} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
        exampleSchema,
      );
      const message = `${rows} values of ${name}.${column} in ${file.name} (${found.get(column)?.type}) ${problem}.`;
      issues.push({ rule, table: name, column, message, rows, examples });
    }
  }
  if (selected.length > 0) {
    const list = selected.map(({ column, value }) => `${value} AS ${quoteName(column)}`).join(', ');
    await session.run(`INSERT INTO ${result.loaded} BY NAME SELECT ${list} FROM ${source}`);
  }
  result.issues.push(...issues);
}

/** Key columns and a count, as text, for a report's examples. */
export function keyTexts(table: DataPolicy['tables'][string], columns: readonly string[], from = ''): string {
  return columns
    .map((column) => `${textSql(`${from}${quoteName(column)}`, table.columns[column])} AS ${quoteName(column)}`)
    .join(', ');
}

const absentIssue = (table: string, file: SourceFile, column: string, type: ColumnType): ValidationIssue =>
  issue(
    'missing-column',
    table,
    column,
    `${file.name} of table ${table} has no column ${column}; it must hold ${typeWords[type]}.`,
  );

function ambiguousIssue(table: string, file: SourceFile, column: string, names: readonly string[]): ValidationIssue {
  const what = names.every((one) => one === column)
    ? `${names.length} columns named ${column}`
    : `the columns ${names.join(' and ')}, and none that is called exactly ${column}`;
  return issue(
    'ambiguous-column',
    table,
    column,
    `${file.name} of table ${table} has ${what}: it is ambiguous which one is meant. Rename them.`,
  );
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
