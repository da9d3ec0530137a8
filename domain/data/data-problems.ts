import type { DataPolicy } from './data-policy.js';
import type { DefinitionProblem } from '../definition-problem.js';

/**
 * Together over all tables: more columns than this are not read in a time that anybody waits for.
 * `docs/model-definition.md` says so.
 */
export const columnsMax = 10_000;

/** What is wrong with tables, joins and expectations beyond their shape. */
export function dataProblems(data: DataPolicy): DefinitionProblem[] {
  const { tables, base, joins, expectations } = data;
  const problems: DefinitionProblem[] = [];
  const columns = Object.values(tables).reduce((sum, table) => sum + Object.keys(table.columns).length, 0);
  if (columns > columnsMax)
    problems.push({ path: 'data.tables', message: `declare ${columns} columns; at most ${columnsMax} are allowed` });
  for (const [name, table] of Object.entries(tables)) {
    if (Object.keys(table.columns).length === 0)
      problems.push({ path: `data.tables.${name}.columns`, message: 'declares no column' });
  }
  for (const [index, { table }] of joins.entries()) {
    const path = `data.joins[${index}]`;
    if (table === base)
      problems.push({ path: `${path}.table`, message: `${table} is the base: it cannot be joined to itself` });
  }
  problems.push(...joinProblems(data));
  const { volumeRatioMin, volumeRatioMax } = expectations;
  if (volumeRatioMin > volumeRatioMax)
    problems.push({
      path: 'data.expectations.volumeRatioMin',
      message: `is greater than volumeRatioMax (${volumeRatioMax}): no partition can satisfy both`,
    });
  return problems;
}

/** Joins on columns of two types: nothing would match, or something by chance. */
export function joinProblems({ tables, base, joins }: DataPolicy): DefinitionProblem[] {
  return joins.flatMap(({ table, on }, index) =>
    on.flatMap((column) => {
      const [left, right] = [tables[base]?.columns[column], tables[table]?.columns[column]];
      if (left === undefined || right === undefined || comparable(left, right)) return [];
      const message = `${column} is declared ${left} in ${base} and ${right} in ${table}: declare one type`;
      return [{ path: `data.joins[${index}].on`, message }];
    }),
  );
}

/** Whether columns of these declared types can be joined on. */
function comparable(left: string, right: string): boolean {
  const numeric = (type: string) => type === 'integer' || type === 'number';
  return left === right || (numeric(left) && numeric(right));
}
