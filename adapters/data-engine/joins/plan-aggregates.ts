import type { ColumnType, DataPolicy } from '../../../domain/data/data-policy.js';
import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { joinName, type Aggregate, type Join } from '../../../domain/data/join.js';
import { bindExpressions } from '../expressions/bind-expressions.js';
import type { DuckSession } from '../duck-session.js';
import { createExpressionParser } from '../expressions/expression.js';
import type { SourceColumn } from '../expressions/source-columns.js';

/** An aggregate of a join, and the SQL over one row of the right table that it is taken of. */
export interface PlannedAggregate {
  name: string;
  fn: Aggregate['fn'];
  of: string | undefined;
  filter: string | undefined;
  type: ColumnType;
  /** The columns of the right table that it reads. */
  reads: SourceColumn[];
  /** Where it stands in the definition. */
  path: string;
}

/** By the place of their join. */
export type PlannedAggregates = ReadonlyMap<number, readonly PlannedAggregate[]>;

interface AggregatePlan {
  planned: PlannedAggregates;
  problems: DefinitionProblem[];
  typeOf: (join: Join, name: string) => ColumnType;
}

/** Parses and binds what joins aggregate, over one row of each right table, without any data. */
export async function planAggregates(
  session: DuckSession,
  data: Pick<DataPolicy, 'joins' | 'tables'>,
): Promise<AggregatePlan> {
  const planned = new Map<number, PlannedAggregate[]>();
  const problems: DefinitionProblem[] = [];
  for (const [index, join] of data.joins.entries()) {
    if (!join.aggregate) continue;
    const columns = data.tables[join.table]?.columns ?? {};
    const sources = [{ name: joinName(join), columns }];
    const parser = createExpressionParser(session, sources);
    const own: PlannedAggregate[] = [];
    for (const [name, { fn, of, filter }] of Object.entries(join.aggregate)) {
      const path = `data.joins[${index}].aggregate.${name}`;
      const reads: SourceColumn[] = [];
      const read = async (field: 'of' | 'filter', text: string | undefined) => {
        if (text === undefined) return undefined;
        const refuse = (problem: string) => void problems.push({ path: `${path}.${field}`, message: problem });
        const parsed = await parser.parse(text);
        if ('problem' in parsed) return refuse(`${text}: ${parsed.problem}`);
        const [bound] = await bindExpressions(session, sources, [parsed]);
        if (!bound || 'problem' in bound) return refuse(`${text}: ${bound?.problem ?? 'it cannot be computed'}`);
        reads.push(...parsed.columns);
        return { sql: parsed.sql, type: bound.type };
      };
      const [value, condition] = [await read('of', of), await read('filter', filter)];
      if (condition && condition.type !== 'BOOLEAN')
        problems.push({
          path: `${path}.filter`,
          message: `${filter} gives ${condition.type}; it must give true or false`,
        });
      const type = value === undefined ? 'integer' : resultType(fn, value.type);
      if (typeof type !== 'string') problems.push({ path: `${path}.of`, message: `${of} ${type.problem}` });
      else own.push({ name, fn, of: value?.sql, filter: condition?.sql, type, reads, path });
    }
    planned.set(index, own);
  }
  const types = new Map(data.joins.map((join, index) => [join, planned.get(index) ?? []]));
  return {
    planned,
    problems,
    typeOf: (join, name) => types.get(join)?.find((one) => one.name === name)?.type ?? 'number',
  };
}

const integerType = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/;
const numberType = /^(U?HUGEINT|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const otherTypes: Record<string, ColumnType> = { VARCHAR: 'string', TIMESTAMP: 'timestamp', BOOLEAN: 'boolean' };

/** The declared type of what an aggregate gives. */
function resultType(fn: Aggregate['fn'], sqlType: string): ColumnType | { problem: string } {
  if (fn === 'count' || fn === 'countDistinct') return 'integer';
  const number = integerType.test(sqlType) ? 'integer' : numberType.test(sqlType) ? 'number' : undefined;
  const summed = fn === 'sum' || fn === 'mean' || fn === 'median' || fn === 'stddev';
  if (summed) {
    if (number === undefined) return { problem: `gives ${sqlType}; ${fn} needs a number` };
    return fn === 'sum' ? number : 'number';
  }
  return (
    number ??
    otherTypes[sqlType] ?? { problem: `gives ${sqlType}; ${fn} needs a number, text, a timestamp, true or false` }
  );
}
