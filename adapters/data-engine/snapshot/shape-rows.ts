import { PerdureError } from '../../../domain/errors.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { firstLine } from '../expressions/bind-expressions.js';
import { isQueryError, type DuckSession } from '../duck-session.js';
import { joinedView, type JoinedTables } from '../joins/join-tables.js';
import type { PlannedColumn } from './plan-columns.js';
import { quoteName } from '../quote-sql.js';

export type { ShapedType } from './plan-columns.js';

/** A column of the shaped rows and the SQL that computes it from the joined view. */
export interface ShapedColumn extends Omit<PlannedColumn, 'reads'> {
  /** Reads a column that has wrong or infinite values, already reported. */
  tainted: boolean;
}

export interface ShapedRows {
  issues: ValidationIssue[];
  notes: string[];
  /** Columns of `shapedTable`; without the label when it cannot be computed, and then there are no rows to check. */
  columns: ShapedColumn[];
}

const placesMax = 5;

export const shapedTable = quoteName('table:shaped:');

/**
 * Computes entity, event time, features and label of every labelled row into `shapedTable`, in that order; a column in
 * two roles stands with the features. An expression that fails on some row is an issue; one that reads a column already
 * reported is left out.
 */
export async function shapeRows(
  session: DuckSession,
  definition: ShapeDefinition,
  plan: readonly PlannedColumn[],
  doubt: JoinedTables['doubt'],
): Promise<ShapedRows> {
  const issues: ValidationIssue[] = [];
  const notes: string[] = [];
  const usable: ShapedColumn[] = [];
  for (const { reads, ...column } of plan) {
    const doubts = reads.map(doubt);
    if (doubts.includes('broken'))
      notes.push(`${column.name} was not checked: it reads a column that is reported as unusable.`);
    else usable.push({ ...column, tainted: doubts.includes('tainted') });
  }
  const known = definition.contract.label === undefined || usable.some(({ role }) => role === 'label');
  const columns = known ? await materialize(session, definition, usable, issues) : [];
  if (columns.length === 0) {
    notes.push(
      'Contract and expectations were not checked: the label cannot be computed, so it is unknown ' +
        'which rows count.',
    );
  }
  return { issues, notes, columns };
}

/**
 * Creates `shapedTable`; columns whose expression fails on some row become issues and are left out. Empty without the
 * label.
 */
async function materialize(
  session: DuckSession,
  { contract, data: { base } }: ShapeDefinition,
  columns: readonly ShapedColumn[],
  issues: ValidationIssue[],
): Promise<ShapedColumn[]> {
  const create = (of: readonly ShapedColumn[]) => session.run(`CREATE TABLE ${shapedTable} AS ${selection(base, of)}`);
  try {
    await create(columns);
    return [...columns];
  } catch (failure) {
    if (!isQueryError(failure)) throw withPlaces(failure, columns);
    const fine: ShapedColumn[] = [];
    for (const column of columns) {
      try {
        await session.run(
          `SELECT count(v), max(v) FROM (SELECT ${column.sql} AS v FROM ${joinedView} AS ${quoteName(base)})`,
        );
        fine.push(column);
      } catch (error) {
        if (!isQueryError(error)) throw error;
        issues.push(
          expressionIssue(
            column.name,
            `${column.role} ${column.name} fails on the data: ${firstLine(error)}. Correct the data, or make ` +
              'the expression tolerate it (TRY_CAST, TRY).',
          ),
        );
      }
    }
    if (contract.label !== undefined && !fine.some(({ role }) => role === 'label')) return [];
    await create(fine);
    return fine;
  }
}

/** Labelled rows. NaN and an empty text are missing values; minus zero is zero, so that equal rows are equal bytes. */
function selection(base: string, columns: readonly ShapedColumn[]): string {
  const values = columns.map(({ name, type }) => {
    const v = quoteName(name);
    if (type === 'float' || type === 'number')
      return `CASE WHEN isnan(${v}) THEN NULL WHEN ${v} = 0 THEN 0 ELSE ${v} END AS ${v}`;
    if (type === 'float[]')
      return `list_transform(${v}, lambda x: CASE WHEN isnan(x) THEN NULL WHEN x = 0 THEN 0 ELSE x END) AS ${v}`;
    return type === 'string' ? `nullif(${v}, '') AS ${v}` : v;
  });
  const computed = columns.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`).join(', ');
  const labelled = columns.filter(({ role }) => role === 'label').map(({ name }) => `${quoteName(name)} IS NOT NULL`);
  return (
    `SELECT ${values.join(', ')} FROM (SELECT ${computed} FROM ${joinedView} AS ${quoteName(base)}) ` +
    `WHERE ${labelled[0] ?? 'true'}`
  );
}

/** A limit that was exceeded, with the expressions that were being evaluated: the longest first. */
function withPlaces(failure: unknown, columns: readonly ShapedColumn[]): unknown {
  if (!(failure instanceof PerdureError) || failure.code !== 'expression/limit-exceeded') return failure;
  const written = columns
    .filter(({ path }) => path.endsWith('.from'))
    .toSorted((left, right) => right.sql.length - left.sql.length);
  const places = written.slice(0, placesMax).map(({ path }) => path);
  const more = written.length > placesMax ? ` and ${written.length - placesMax} more` : '';
  return new PerdureError(failure.code, `${places.join(', ') || 'contract'}${more}: ${failure.message}`, {
    paths: places,
  });
}

function expressionIssue(column: string, message: string): ValidationIssue {
  return { rule: 'expression', table: null, column, message, rows: null, examples: [] };
}
