import type { Contract } from '../../../domain/data/contract.js';
import type { ColumnType } from '../../../domain/data/data-policy.js';
import { outputSignature, taskOf } from '../../../domain/tasks/task-of.js';
import type { ClassName, TaskName } from '../../../domain/tasks/task.js';
import type { ColumnSources } from '../expressions/source-columns.js';

export interface MeasuredModel {
  task?: TaskName | undefined;
  contract: Contract;
  /** Of a version whose contract lists none. */
  classes?: readonly ClassName[] | undefined;
}

/** What expressions call the rows. */
export const rowsName = 'holdout';

/** What an own metric may read beside features: the label, what was predicted, and the numbers of the answer. */
export function ownColumns({ task: name, contract, classes }: MeasuredModel): Record<string, ColumnType> {
  const task = taskOf({ task: name });
  const columns: Record<string, ColumnType> = {};
  const { label } = contract;
  if (label === undefined) return columns;
  columns.label = label.type;
  if (task.predictedClasses !== null) columns.predicted = label.type;
  for (const { name: column } of task.nativeColumns(outputSignature(contract, classes))) columns[column] = 'number';
  return columns;
}

/** The features that an own metric may read; vectors and lists are none. */
function featureColumns({ features }: Contract): Record<string, ColumnType> {
  const columns: Record<string, ColumnType> = {};
  for (const [name, { type }] of Object.entries(features))
    if (type !== 'vector' && type !== 'list') columns[name] = type === 'text' ? 'string' : type;
  return columns;
}

/** Names that mean two things are left to neither: see `ambiguous`. */
export const ownMetricSources = (model: MeasuredModel): ColumnSources => [
  { name: rowsName, columns: { ...featureColumns(model.contract), ...ownColumns(model) } },
];

/** The column of these that is both a feature and what a model answers, in whatever case. */
export function ambiguous(model: MeasuredModel, columns: readonly string[]): string | undefined {
  const own = new Set(Object.keys(ownColumns(model)).map((name) => name.toLowerCase()));
  const features = new Set(Object.keys(model.contract.features).map((name) => name.toLowerCase()));
  return columns.find((name) => own.has(name.toLowerCase()) && features.has(name.toLowerCase()));
}
