import { z } from 'zod';
import { declaredType, type ShapeDefinition } from '../../domain/snapshot-shape.js';
import type { ValidationIssue } from '../../domain/validation-report.js';
import { isQueryError, type DuckSession } from './duck-session.js';
import { createExpressionParser, type ExpressionParser } from './expression.js';
import { joinedView } from './join-tables.js';
import { quoteName } from './quote.js';
import type { ReadTable } from './read-table.js';

export type ShapedType = 'integer' | 'number' | 'string' | 'timestamp' | 'boolean' | 'float';

/** A column of the shaped rows and the SQL that computes it from the joined view. */
export interface ShapedColumn {
  name: string;
  role: 'entity' | 'eventTime' | 'feature' | 'label';
  type: ShapedType;
  sql: string;
  /** Reads a column that has wrong or infinite values, already reported. */
  tainted: boolean;
}

export interface ShapedRows {
  issues: ValidationIssue[];
  notes: string[];
  /** Columns of `shapedTable`; without the label when it cannot be computed, and then there are no rows to check. */
  columns: ShapedColumn[];
}

export const shapedTable = quoteName('table:shaped:');

const typeSchema = z.object({ column_type: z.string() });
const numericType = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/**
 * Computes entity, event time, features and label of every labelled row into `shapedTable`, in that order; a column in two roles stands
 * with the features. An expression that cannot be computed is an issue; one that reads a column already reported is left out.
 */
export async function shapeRows(
  session: DuckSession,
  definition: ShapeDefinition,
  read: ReadonlyMap<string, ReadTable>,
): Promise<ShapedRows> {
  const { contract, data } = definition;
  const parser = await createExpressionParser(session, data);
  const issues: ValidationIssue[] = [];
  const notes: string[] = [];
  const planned: ShapedColumn[] = [];
  const plan = async (column: Pick<ShapedColumn, 'name' | 'role' | 'type'>, from: string | undefined) => {
    const outcome = await planColumn(session, parser, definition, read, column, from);
    if (outcome === undefined) notes.push(`${column.name} was not checked: it reads a column that is reported as unusable.`);
    else if ('rule' in outcome) issues.push(outcome);
    else planned.push(outcome);
  };
  const features = Object.entries(contract.features);
  for (const name of contract.entity) {
    if (name in contract.features || name === contract.eventTime) continue;
    await plan({ name, role: 'entity', type: declaredType(data, name) ?? 'string' }, undefined);
  }
  const timeRole = contract.entity.includes(contract.eventTime) ? 'entity' : 'eventTime';
  await plan({ name: contract.eventTime, role: timeRole, type: 'timestamp' }, undefined);
  for (const [name, feature] of features)
    await plan({ name, role: 'feature', type: feature.type === 'number' ? 'float' : 'string' }, feature.from);
  await plan({ name: contract.label.name, role: 'label', type: 'boolean' }, contract.label.from);

  const label = planned.find(({ role }) => role === 'label');
  const columns = label ? await materialize(session, data.base, planned, issues) : [];
  if (columns.length === 0) {
    notes.push('Contract and expectations were not checked: the label cannot be computed, so it is not known which rows count.');
  }
  return { issues, notes, columns };
}

async function planColumn(
  session: DuckSession,
  parser: ExpressionParser,
  { data }: ShapeDefinition,
  read: ReadonlyMap<string, ReadTable>,
  column: Pick<ShapedColumn, 'name' | 'role' | 'type'>,
  from: string | undefined,
): Promise<ShapedColumn | ValidationIssue | undefined> {
  const text = from ?? quoteName(column.name);
  const refuse = (problem: string) =>
    expressionIssue(column.name, `${column.role} ${column.name}${from === undefined ? '' : ` = ${from}`}: ${problem}.`);
  const parsed = await parser.parse(text);
  if ('problem' in parsed) return refuse(parsed.problem);
  if (parsed.columns.some(({ table, column: name }) => read.get(table)?.broken.has(name))) return undefined;
  const tainted = parsed.columns.some(({ table, column: name }) => read.get(table)?.tainted.has(name));
  let type: string;
  try {
    const [row] = await session.rows(
      `DESCRIBE SELECT ${parsed.sql} AS v FROM ${joinedView} AS ${quoteName(data.base)} LIMIT 0`,
      typeSchema,
    );
    type = row?.column_type ?? '';
  } catch (error) {
    if (!isQueryError(error)) throw error;
    return refuse(firstLine(error));
  }
  const done = (sql: string): ShapedColumn => ({ ...column, sql, tainted });
  switch (column.type) {
    case 'float':
    case 'number':
      return numericType.test(type) ? done(`CAST(${parsed.sql} AS DOUBLE)`) : refuse(`it gives ${type}; it must give a number`);
    case 'integer':
      return type === 'BIGINT' ? done(parsed.sql) : refuse(`it gives ${type}; it must give a whole number`);
    case 'string':
      return type === 'VARCHAR' ? done(parsed.sql) : refuse(`it gives ${type}; it must give text: CAST(… AS VARCHAR)`);
    case 'timestamp':
      return type === 'TIMESTAMP' ? done(parsed.sql) : refuse(`it gives ${type}; it must give a timestamp`);
    case 'boolean':
      return type === 'BOOLEAN' ? done(parsed.sql) : refuse(`it gives ${type}; it must give true or false`);
  }
}

/** Creates `shapedTable`; columns whose expression fails on some row become issues and are left out. Empty without the label. */
async function materialize(
  session: DuckSession,
  base: string,
  columns: readonly ShapedColumn[],
  issues: ValidationIssue[],
): Promise<ShapedColumn[]> {
  const create = (of: readonly ShapedColumn[]) => session.run(`CREATE TABLE ${shapedTable} AS ${selection(base, of)}`);
  try {
    await create(columns);
    return [...columns];
  } catch (failure) {
    if (!isQueryError(failure)) throw failure;
    const fine: ShapedColumn[] = [];
    for (const column of columns) {
      try {
        await session.run(`SELECT count(v), max(v) FROM (SELECT ${column.sql} AS v FROM ${joinedView} AS ${quoteName(base)})`);
        fine.push(column);
      } catch (error) {
        if (!isQueryError(error)) throw error;
        issues.push(expressionIssue(column.name, `${column.role} ${column.name} fails on the data: ${firstLine(error)}.`));
      }
    }
    if (!fine.some(({ role }) => role === 'label')) return [];
    await create(fine);
    return fine;
  }
}

/** Labelled rows. NaN and an empty text are missing values; minus zero is zero, so that equal rows are equal bytes. */
function selection(base: string, columns: readonly ShapedColumn[]): string {
  const values = columns.map(({ name, type }) => {
    const v = quoteName(name);
    if (type === 'float' || type === 'number') return `CASE WHEN isnan(${v}) THEN NULL WHEN ${v} = 0 THEN 0 ELSE ${v} END AS ${v}`;
    return type === 'string' ? `nullif(${v}, '') AS ${v}` : v;
  });
  const computed = columns.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`).join(', ');
  const labelled = columns.filter(({ role }) => role === 'label').map(({ name }) => `${quoteName(name)} IS NOT NULL`);
  return `SELECT ${values.join(', ')} FROM (SELECT ${computed} FROM ${joinedView} AS ${quoteName(base)}) WHERE ${labelled.join(' AND ')}`;
}

function expressionIssue(column: string, message: string): ValidationIssue {
  return { rule: 'expression', table: null, column, message, rows: null, examples: [] };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.replace(/[.!]$/, '') ?? '';
}
