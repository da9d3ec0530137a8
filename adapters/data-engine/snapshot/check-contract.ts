import { z } from 'zod';
import type { Contract } from '../../../domain/data/contract.js';
import type { Partition } from '../../../domain/partition.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import { nulDoubt } from './column-type.js';
import { featureRules, type AddRule } from '../feature-rules.js';
import { countEach } from './count-each.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName, quoteNumber, quoteText } from '../quote-sql.js';
import { EXAMPLES_MAX, exampleSchema } from './read-table.js';
import { shapedTable, type ShapedColumn } from './shape-rows.js';
import { textSql } from '../expressions/source-columns.js';

interface RowRule {
  rule: ValidationIssue['rule'];
  column: ShapedColumn;
  predicate: string;
  message: (rows: number) => string;
}

const groupsSchema = z.object({ rows: z.coerce.number(), groups: z.coerce.number() });

/** When rows of the partition happened, in milliseconds since 1970; undefined where that is not asked. */
export type OwnTimes = { partition: Partition; start: number; end: number } | undefined;

/** A rule that rows break, and the SQL condition on `shapedTable` that says which. */
export interface RowIssue {
  issue: ValidationIssue;
  predicate: string;
}

/**
 * Checks the shaped rows against the contract. Each broken rule is one issue with its row count and up to 20 of the
 * rows.
 */
export async function checkContract(
  session: DuckSession,
  contract: Contract,
  columns: readonly ShapedColumn[],
  ownTimes?: OwnTimes,
): Promise<RowIssue[]> {
  const rules = columns.flatMap((column) => [...rulesOf(contract, column), ...timeRules(column, ownTimes)]);
  const entity = contract.entity.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const issues: RowIssue[] = [];
  if (rules.length > 0) {
    const counts = await countEach(
      session,
      shapedTable,
      rules.map(({ predicate }) => predicate),
    );
    for (const [index, { rule, column, predicate, message }] of rules.entries()) {
      const rows = counts[index] ?? 0;
      if (rows === 0) continue;
      const shown = texts([...entity.filter(({ name }) => name !== column.name), column]);
      const examples = await session.rows(
        `SELECT ${shown} FROM ${shapedTable} WHERE ${predicate} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
        exampleSchema,
      );
      const issue = { rule, table: null, column: column.name, message: message(rows), rows, examples };
      issues.push({ issue, predicate });
    }
  }
  return issues;
}

/** The SQL condition on `shapedTable` of rows that share their entity with another one. */
export const sharesEntity = ({ entity }: Contract): string =>
  `count(*) OVER (PARTITION BY ${entity.map(quoteName).join(', ')}) > 1`;

/** Reports rows that share an entity key, which the contract says identifies one row. */
export async function checkEntity(
  session: DuckSession,
  contract: Contract,
  columns: readonly ShapedColumn[],
): Promise<RowIssue[]> {
  const entity = contract.entity.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  if (entity.length < contract.entity.length || entity.some(({ tainted }) => tainted)) return [];
  const names = entity.map(({ name }) => quoteName(name)).join(', ');
  const groups = `SELECT ${names}, count(*) AS "rows:" FROM ${shapedTable} GROUP BY ${names} HAVING count(*) > 1`;
  const [count] = await session.rows(
    `SELECT coalesce(sum("rows:"), 0) AS "rows", count(*) AS "groups" FROM (${groups})`,
    groupsSchema,
  );
  if (!count || count.groups === 0) return [];
  const examples = await session.rows(
    `SELECT ${texts(entity)}, CAST("rows:" AS VARCHAR) AS "rows" FROM (${groups}) ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
    exampleSchema,
  );
  const message =
    `${count.rows} labelled rows share ${count.groups} values of the entity ` +
    `(${contract.entity.join(', ')}); each must identify exactly one row.`;
  const issue = { rule: 'duplicate-key' as const, table: null, column: null, message, rows: count.rows, examples };
  return [{ issue, predicate: sharesEntity(contract) }];
}

/** Rows of another partition by their event time. */
function timeRules(column: ShapedColumn, ownTimes: OwnTimes): RowRule[] {
  if (column.role !== 'eventTime' || column.tainted || ownTimes === undefined) return [];
  const { partition, start, end } = ownTimes;
  const v = quoteName(column.name);
  const utc = (time: number) => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return [
    {
      rule: 'wrong-partition',
      column,
      predicate: `${v} < make_timestamp(${start * 1000}) OR ${v} >= make_timestamp(${end * 1000})`,
      message: (rows) =>
        `${rows} labelled rows are not of ${partition} by their ${column.name}: it begins ${utc(start)} and ends ` +
        `before ${utc(end)}. Put them into their own partition.`,
    },
  ];
}

function rulesOf(contract: Contract, column: ShapedColumn): RowRule[] {
  const { name, role, tainted } = column;
  const v = quoteName(name);
  const rules: RowRule[] = [];
  const add = (rule: RowRule['rule'], predicate: string, message: RowRule['message']) =>
    rules.push({ rule, column, predicate, message });
  const feature = contract.features[name];
  if (role !== 'label' && !(feature?.nullable ?? false) && !tainted) {
    add('null', `${v} IS NULL`, (rows) => `${rows} labelled rows have no ${name}. Fill it in, or declare it nullable.`);
  }
  if (feature !== undefined) featureRules(feature, v, { tainted, name }, add);
  else if (column.type === 'string' && !tainted) {
    const { rule, predicate, problem } = nulDoubt(v);
    add(rule, predicate, (rows) => `${rows} values of ${name} ${problem}.`);
  }
  if (role === 'label') labelRules(contract, v, add);
  return rules;
}

function labelRules({ label }: Contract, v: string, add: AddRule): void {
  if (label?.type === 'number') {
    add('infinite', `isinf(${v})`, (rows) => `${rows} labels ${label.name} are infinite. Correct or remove them.`);
    const { min, max } = label;
    const bounds = [
      ...(min === undefined ? [] : [`${v} < ${quoteNumber(min)}`]),
      ...(max === undefined ? [] : [`${v} > ${quoteNumber(max)}`]),
    ];
    if (bounds.length > 0)
      add(
        'out-of-range',
        `isfinite(${v}) AND (${bounds.join(' OR ')})`,
        (rows) =>
          `${rows} labels ${label.name} are outside the range ${min ?? '−∞'} to ${max ?? '∞'}. Correct them or ` +
          'contract.label.',
      );
  }
  const classes = label !== undefined && 'classes' in label ? label.classes : undefined;
  if (classes === undefined || label === undefined) return;
  const list = classes.map((one) => (typeof one === 'number' ? String(one) : quoteText(one))).join(', ');
  add(
    'unknown-level',
    `${v} NOT IN (${list})`,
    (rows) =>
      `${rows} labels ${label.name} are not one of its classes: ${classes.slice(0, 50).join(', ')}. Correct them, or ` +
      'add the class to contract.label.classes.',
  );
}

const texts = (columns: readonly ShapedColumn[]): string =>
  columns
    .map(
      ({ name, type }) =>
        `${textSql(quoteName(name), type === 'timestamp' ? 'timestamp' : undefined)} AS ${quoteName(name)}`,
    )
    .join(', ');
