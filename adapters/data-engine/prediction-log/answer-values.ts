import type { Contract } from '../../../domain/data/contract.js';
import type { ColumnType } from '../../../domain/data/data-policy.js';
import { outputColumns } from '../../../domain/serving/prediction-log-columns.js';
import { outputSignature, taskOf } from '../../../domain/tasks/task-of.js';
import type { ClassName, TaskName } from '../../../domain/tasks/task.js';
import { quoteName } from '../quote-sql.js';

/** Whose predictions a log holds. */
export interface AnsweredLog {
  /** `binary` when absent. */
  task?: TaskName | undefined;
  contract: Contract;
  /** Of each version, where the contract lists none. */
  classes?: ReadonlyMap<number, readonly ClassName[]> | undefined;
}

/** Numbers of a list that expressions can name. */
const namedMax = 100;

/** What expressions over a prediction can read beside its features: the answer, number by number, and its latency. */
export function answerValues(log: AnsweredLog): Record<string, { type: ColumnType; sql: string }> {
  const task = taskOf(log);
  const classes = log.classes?.values().next().value;
  const values: Record<string, { type: ColumnType; sql: string }> = {};
  for (const { column, width, each } of task.logged(outputSignature(log.contract, classes))) {
    if (width === null) values[column] = { type: 'number', sql: quoteName(column) };
    else if (each === undefined)
      values[`${column}_norm`] = {
        type: 'number',
        sql: `coalesce(${column}_norm, sqrt(list_dot_product(${column}, ${column})))`,
      };
    else
      for (let place = 0; place < Math.min(width, namedMax); place += 1)
        values[`${each}_${place}`] = { type: 'number', sql: `CAST(${column}[${place + 1}] AS DOUBLE)` };
  }
  if (task.predictedColumn === 'label') values['label'] = { type: 'boolean', sql: 'label' };
  if (task.predictedColumn === 'predicted') values['predicted'] = { type: 'string', sql: 'predicted' };
  values['latency_ms'] = { type: 'number', sql: 'latency_ms' };
  return values;
}

/** The log's columns of answers under names that no feature can have. */
export const rawAnswers: string = Object.keys(outputColumns)
  .map((name) => `${quoteName(name)} AS ${quoteName(`log:${name}`)}`)
  .join(', ');
