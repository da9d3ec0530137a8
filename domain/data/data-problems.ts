import type { DataPolicy } from './data-policy.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { joinProblems } from './join-problems.js';

/**
 * Together over all tables: more columns than this are not read in a time that anybody waits for.
 * `docs/model-definition.md` says so.
 */
export const columnsMax = 10_000;

/** What is wrong with tables, joins and expectations beyond their shape. */
export function dataProblems(data: DataPolicy): DefinitionProblem[] {
  const { tables, expectations } = data;
  const problems: DefinitionProblem[] = [];
  const columns = Object.values(tables).reduce((sum, table) => sum + Object.keys(table.columns).length, 0);
  if (columns > columnsMax)
    problems.push({ path: 'data.tables', message: `declare ${columns} columns; at most ${columnsMax} are allowed` });
  for (const [name, table] of Object.entries(tables)) {
    if (Object.keys(table.columns).length === 0)
      problems.push({ path: `data.tables.${name}.columns`, message: 'declares no column' });
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
