import { invalidDefinition } from '../../../domain/model/model-definition.js';
import { declaredType, type ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import { dataSources } from '../../../domain/data/source-tables.js';
import type { ColumnType } from '../../../domain/data/data-policy.js';
import { valueTypeOf, type ValueType } from '../../../domain/data/feature/feature-value.js';
import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { bindExpressions } from '../expressions/bind-expressions.js';
import { columnFinder } from '../expressions/column-finder.js';
import type { DuckSession } from '../duck-session.js';
import { createExpressionParser, type ParsedExpression } from '../expressions/expression.js';
import { planAggregates, type PlannedAggregates } from '../joins/plan-aggregates.js';
import { quoteName } from '../quote-sql.js';
import type { SourceColumn } from '../expressions/source-columns.js';

export type ShapedType = ColumnType | 'float' | 'float[]';

/**
 * A column of the shaped rows, the SQL that computes it from the joined view, and the declared columns that it reads.
 */
export interface PlannedColumn {
  name: string;
  role: 'entity' | 'eventTime' | 'feature' | 'label';
  type: ShapedType;
  sql: string;
  reads: SourceColumn[];
  /** Where it stands in the definition: an expression's ends with `.from`. */
  path: string;
}

export interface ColumnPlan {
  /** In the order of the shaped rows: entity, event time, features, label. */
  columns: PlannedColumn[];
  /** Of each join that has any, by its place. */
  aggregates: PlannedAggregates;
  problems: DefinitionProblem[];
}

interface WantedColumn extends Pick<PlannedColumn, 'name' | 'role' | 'type' | 'path'> {
  from: string | undefined;
}

const numericType = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\([\d,]*\))$/;
const isNumericList = (type: string) => type.endsWith('[]') && numericType.test(type.slice(0, -2));
const wantedTypes: Record<ShapedType, { fits: (type: string) => boolean; words: string }> = {
  float: { fits: (type) => numericType.test(type), words: 'a number' },
  number: { fits: (type) => numericType.test(type), words: 'a number' },
  integer: { fits: (type) => type === 'BIGINT', words: 'a whole number' },
  string: { fits: (type) => type === 'VARCHAR', words: 'text: CAST(… AS VARCHAR)' },
  timestamp: { fits: (type) => type === 'TIMESTAMP', words: 'a timestamp' },
  boolean: { fits: (type) => type === 'BOOLEAN', words: 'true or false' },
  'float[]': { fits: isNumericList, words: 'a list of numbers' },
  'number[]': { fits: isNumericList, words: 'a list of numbers' },
  'integer[]': { fits: (type) => type === 'BIGINT[]', words: 'a list of whole numbers' },
  'string[]': { fits: (type) => type === 'VARCHAR[]', words: 'a list of texts' },
  'timestamp[]': { fits: (type) => type === 'TIMESTAMP[]', words: 'a list of timestamps' },
  'boolean[]': { fits: (type) => type === 'BOOLEAN[]', words: 'a list of true or false' },
};

/**
 * Parses and binds everything that a definition computes of a row, without any data. The same is asked when it is
 * applied and before each training.
 */
export async function planColumns(session: DuckSession, definition: ShapeDefinition): Promise<ColumnPlan> {
  const wanted = wantedColumns(definition);
  const aggregates = await planAggregates(session, definition.data);
  const sources = dataSources(definition.data, aggregates.typeOf);
  const parser = createExpressionParser(session, sources);
  const find = columnFinder(sources);
  const written = wanted.filter(({ from }) => from !== undefined);
  const trees = await parser.parseAll(written.map(({ from }) => from ?? ''));
  const parsedOf = new Map<WantedColumn, ParsedExpression>(
    written.map((column, index) => [column, trees[index] ?? { problem: '' }]),
  );
  const problems = [...aggregates.problems];
  const parsed = wanted.flatMap((column) => {
    const found = parsedOf.get(column) ?? plainColumn(column.name);
    if ('problem' in found) problems.push(problemOf(column, found.problem));
    return 'problem' in found ? [] : [{ column, ...found }];
  });
  const bound = await bindExpressions(session, sources, parsed);
  const columns = parsed.flatMap(({ column: { from: _from, ...column }, ...expression }, index) => {
    const answer = bound[index] ?? { problem: 'it cannot be computed' };
    const wantedType = wantedTypes[column.type];
    const problem =
      'problem' in answer
        ? answer.problem
        : wantedType.fits(answer.type)
          ? undefined
          : `it gives ${answer.type}; it must give ${wantedType.words}`;
    const asked = parsed[index]?.column;
    if (problem !== undefined && asked) problems.push(problemOf(asked, problem));
    const sql =
      column.type === 'float' || column.type === 'number'
        ? `CAST(${expression.sql} AS DOUBLE)`
        : column.type === 'float[]'
          ? `CAST(${expression.sql} AS DOUBLE[])`
          : expression.sql;
    return problem === undefined ? [{ ...column, sql, reads: expression.columns }] : [];
  });
  return { columns, aggregates: aggregates.planned, problems };

  function plainColumn(name: string): ParsedExpression {
    const resolved = find([name]);
    return 'problem' in resolved ? resolved : { sql: quoteName(name), columns: [resolved.found] };
  }
}

/** @throws PerdureError `definition/invalid` that names every problem. */
export async function soundColumns(
  session: DuckSession,
  definition: ShapeDefinition & { name: string },
): Promise<Omit<ColumnPlan, 'problems'>> {
  const { problems, ...plan } = await planColumns(session, definition);
  if (problems.length === 0) return plan;
  throw invalidDefinition(definition.name, problems);
}

const shapedTypes = {
  number: 'float',
  integer: 'integer',
  boolean: 'boolean',
  string: 'string',
  text: 'string',
  timestamp: 'timestamp',
  vector: 'float[]',
  'number[]': 'float[]',
  'integer[]': 'integer[]',
  'boolean[]': 'boolean[]',
  'string[]': 'string[]',
  'text[]': 'string[]',
  'timestamp[]': 'timestamp[]',
} as const satisfies Record<ValueType, ShapedType>;

function wantedColumns({ contract, data }: ShapeDefinition): WantedColumn[] {
  const entity = contract.entity.flatMap((name, index): WantedColumn[] => {
    if (name in contract.features || name === contract.eventTime) return [];
    return [
      {
        name,
        role: 'entity',
        type: declaredType(data, name) ?? 'string',
        from: undefined,
        path: `contract.entity[${index}]`,
      },
    ];
  });
  const features = Object.entries(contract.features).map(([name, feature]): WantedColumn => {
    const { from } = feature;
    const path = `contract.features.${name}${from === undefined ? '' : '.from'}`;
    return { name, role: 'feature', type: shapedTypes[valueTypeOf(feature)], from, path };
  });
  const timeRole = contract.entity.includes(contract.eventTime) ? 'entity' : 'eventTime';
  return [
    ...entity,
    { name: contract.eventTime, role: timeRole, type: 'timestamp', from: undefined, path: 'contract.eventTime' },
    ...features,
    ...labelColumn(contract),
  ];
}

function labelColumn({ label }: ShapeDefinition['contract']): WantedColumn[] {
  if (label === undefined) return [];
  const { name, type, from } = label;
  return [{ name, role: 'label', type, from, path: `contract.label${from === undefined ? '' : '.from'}` }];
}

function problemOf({ from, name, role, path }: WantedColumn, problem: string): DefinitionProblem {
  if (from !== undefined) return { path, message: `${shortened(from)}: ${problem}` };
  const where = role === 'feature' || role === 'label' ? `without \`from\` it is the column ${name}, and ` : '';
  return { path, message: `${where}${problem}` };
}

const shortened = (text: string): string => (text.length <= 200 ? text : `${text.slice(0, 200)}…`);
